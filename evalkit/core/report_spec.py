"""A report as content: which sections to show and which gates to decide."""

from typing import Literal

from evalkit.core.gate import Gate
from evalkit.core.noun import Noun

Section = Literal["gates", "slices", "cost", "changed", "judges", "provenance"]
SECTIONS: tuple[Section, ...] = ("gates", "slices", "cost", "changed", "judges", "provenance")


class ReportSpec(Noun):
    """`reports/NAME/report.yaml`."""

    name: str
    title: str = ""
    sections: tuple[Section, ...] = SECTIONS
    gates: tuple[Gate, ...] = ()
    max_changed: int = 50
    """Changed samples shown per metric and transition; the rest stand in changed.csv."""
