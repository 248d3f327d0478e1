"""Cards of the recorded data, made as `evalkit calibrate --spec` makes them, and how a figure is found on one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from evalkit.calibration.card import make_card
from evalkit.calibration.read import read_inputs
from evalkit.calibration.rows import Inputs
from evalkit.calibration.spec import CalibrationSpec
from evalkit.content.parse import load_yaml, validate
from evalkit.core.card import CardEstimate, Confusion, Distribution, JudgeCard
from evalkit.core.estimate import Slice

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "docs" / "examples" / "calibration"
DATA = ROOT.parent / "shared" / "data"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
DRAWS = 200
"""Enough to run every line of the code; no figure that is compared here is an interval."""


class Cards:
    """Makes cards from one data folder; files that several cards read are read once."""

    def __init__(self, folder: Path, draws: int = DRAWS):
        self.folder = folder
        self.draws = draws
        self._read = cache(self._inputs)

    def card(self, name: str, **changes: Any) -> JudgeCard:
        """An example spec's card; `judgements__judge="gpt-4"` changes a setting, `judgements=None` drops a side."""
        spec = _changed(example(name), {"draws": self.draws, **changes})
        return make_card(self._read(name, spec.judgements is not None), spec, now=NOW)

    def _inputs(self, name: str, with_verdicts: bool) -> Inputs:
        spec = example(name)
        return read_inputs(spec if with_verdicts else spec.model_copy(update={"judgements": None}), self.folder)


def example(name: str) -> CalibrationSpec:
    """An example spec of the docs."""
    return validate(load_yaml(SPECS / f"{name}.yaml"), CalibrationSpec)


def _changed(spec: CalibrationSpec, changes: Mapping[str, Any]) -> CalibrationSpec:
    settings = spec.model_dump()
    for name, value in changes.items():
        side, _, field = name.partition("__")
        if field:
            settings[side][field] = value
        else:
            settings[name] = value
    return CalibrationSpec.model_validate(settings)


def estimate(card: JudgeCard, statistic: str, against: str, where: Slice | None = None) -> CardEstimate:
    """One line of a card. Raises KeyError when it is not there."""
    wanted = (statistic, against, where or {})
    for line in card.estimates:
        if (line.statistic, line.against, line.slice) == wanted:
            return line
    raise KeyError(wanted)


def value(card: JudgeCard, statistic: str, against: str, where: Slice | None = None) -> float:
    """The value of one line; nan where it is undefined."""
    found = estimate(card, statistic, against, where).value
    return float("nan") if found is None else found


def distribution(card: JudgeCard, source: str, where: Slice | None = None) -> Distribution:
    """What one source said in one slice."""
    return next(found for found in card.distributions if found.source == source and found.slice == (where or {}))


def confusion(card: JudgeCard, against: str, where: Slice | None = None) -> Confusion:
    """The judge's labels against a reference's in one slice."""
    return next(found for found in card.confusions if found.against == against and found.slice == (where or {}))
