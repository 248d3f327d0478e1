"""Published figures, ours beside them, and when the two are the same."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")


@dataclass(frozen=True)
class Published:
    """One entry of figures.json."""

    figure: str
    published: str
    """As printed; "-" where nothing was published."""
    recomputed: str
    """From the kept files, by whoever collected them: the binding value."""


@dataclass(frozen=True)
class Ours:
    """What our card says to one published figure, number by number; or why it is left out."""

    figure: str
    parts: tuple[tuple[str, float], ...] = ()
    counted: tuple[float, ...] = ()
    """The same counted plainly from the rows: stands in where figures.json has no such figure."""
    left_out: str = ""
    note: str = ""
    """What a reader should know of a figure that is the same all the same."""


@dataclass(frozen=True)
class Line:
    """One number, both ways."""

    figure: str
    published: str
    recomputed: str
    ours: float

    @property
    def difference(self) -> float:
        """Ours minus the recomputed value."""
        return self.ours - float(self.recomputed)

    @property
    def is_same(self) -> bool:
        """Equal within half a unit of the last digit that the recomputed value shows."""
        half_a_unit = float(Decimal(1).scaleb(int(Decimal(self.recomputed).as_tuple().exponent)) / 2)
        return abs(self.difference) <= half_a_unit * (1 + 1e-9)


def read_figures(folder: Path) -> dict[str, Published]:
    """Figure name -> entry of a set's figures.json."""
    rows: list[dict[str, Any]] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    return {
        row["figure"]: Published(
            row["figure"], "-" if row["published"] is None else str(row["published"]), str(row["recomputed"])
        )
        for row in rows
    }


def plainly_counted(ours: Ours) -> Published:
    """The entry of a figure that figures.json does not have. Raises ValueError when nothing was counted either."""
    if not ours.counted:
        raise ValueError(f"{ours.figure} is not in figures.json")
    return Published(ours.figure, "-", " | ".join(f"{value:.4f}" for value in ours.counted))


def lines(published: Published, ours: Ours) -> Sequence[Line]:
    """A line for each number of a figure. Raises ValueError when we have fewer or more numbers than the figure."""
    recomputed = NUMBER.findall(published.recomputed)
    printed = NUMBER.findall(published.published)
    if len(recomputed) < len(ours.parts) or not ours.parts:
        raise ValueError(f"{published.figure}: {len(recomputed)} numbers published, {len(ours.parts)} of ours")
    printed += ["-"] * (len(ours.parts) - len(printed))
    return [
        Line(f"{published.figure} [{name}]" if name else published.figure, was, again, value)
        for (name, value), was, again in zip(ours.parts, printed, recomputed, strict=False)
    ]
