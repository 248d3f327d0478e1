"""Small label and verdict files for the tests of calibrate."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.calibration.card import make_card
from evalkit.calibration.join import Joined, join
from evalkit.calibration.rows import Inputs, Row, Source
from evalkit.calibration.spec import CalibrationSpec
from evalkit.core.card import CardEstimate, JudgeCard, SliceFitness
from evalkit.core.estimate import Slice

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def label(item: str, annotator: str, value: Any, **fields: Any) -> dict[str, Any]:
    """A row of a labels file."""
    base = {"item_id": item, "system": "s", "annotator": annotator, "criterion": "refusal", "value": value}
    return base | fields


def verdict(item: str, value: Any, **fields: Any) -> dict[str, Any]:
    """A row of a verdicts file."""
    return {"item_id": item, "system": "s", "judge": "gpt", "criterion": "refusal", "value": value} | fields


def columns(**values: Iterable[Any]) -> list[dict[str, Any]]:
    """Labels of several annotators on items i0, i1, ...: `columns(ann="aab", ben="abb")`; None = not labelled."""
    return [
        label(f"i{number}", annotator, value)
        for annotator, given in values.items()
        for number, value in enumerate(given)
        if value is not None
    ]


def verdicts(values: Iterable[Any], **fields: Any) -> list[dict[str, Any]]:
    """The judge's verdicts on items i0, i1, ..."""
    return [verdict(f"i{number}", value, **fields) for number, value in enumerate(values)]


def inputs(
    labels: list[dict[str, Any]],
    judged: list[dict[str, Any]] | None = None,
    items: list[dict[str, Any]] | None = None,
) -> Inputs:
    """What read_inputs makes of such rows."""
    return Inputs(
        labels=_source("human.jsonl", labels),
        verdicts=None if judged is None else _source("judge.jsonl", judged),
        items=None if items is None else {row["item_id"]: row for row in items},
        items_file=None if items is None else Path("items.jsonl"),
    )


def spec(judged: bool = True, **settings: Any) -> CalibrationSpec:
    """A spec with few draws; `judged=False` leaves the judge out."""
    base: dict[str, Any] = {"draws": 100, "judgements": {} if judged else None}
    return CalibrationSpec.model_validate(base | settings)


def joined(rows: list[dict[str, Any]], judged: list[dict[str, Any]] | None = None, **settings: Any) -> Joined:
    """Rows joined under a spec."""
    items = settings.pop("items_rows", None)
    return join(inputs(rows, judged, items), spec(judged is not None, **settings))


def card(
    folder: Path, rows: list[dict[str, Any]], judged: list[dict[str, Any]] | None = None, **settings: Any
) -> JudgeCard:
    """The card of such rows; the files are there, so that they have digests."""
    items = settings.pop("items_rows", None)
    given = inputs(rows, judged, items)
    (folder / "human.jsonl").write_text(repr(rows))
    (folder / "judge.jsonl").write_text(repr(judged))
    placed = Inputs(
        labels=Source(folder / "human.jsonl", given.labels.rows),
        verdicts=Source(folder / "judge.jsonl", given.verdicts.rows) if given.verdicts else None,
        items=given.items,
        items_file=given.items_file,
    )
    return make_card(placed, spec(judged is not None, **settings), now=NOW)


def find(made: JudgeCard, statistic: str, against: str, where: Slice | None = None) -> CardEstimate:
    """One line of a card; there is exactly one."""
    wanted = (statistic, against, where or {})
    (line,) = [line for line in made.estimates if (line.statistic, line.against, line.slice) == wanted]
    return line


def fitness(made: JudgeCard, where: Slice | None = None) -> SliceFitness:
    """The fitness of one slice."""
    return next(found for found in made.fitness if found.slice == (where or {}))


def outcomes(found: SliceFitness) -> dict[str, str]:
    """Rule -> outcome."""
    return {rule.rule: rule.outcome for rule in found.rules}


def _source(name: str, rows: list[dict[str, Any]]) -> Source:
    return Source(Path(name), tuple(Row(line, row) for line, row in enumerate(rows, start=1)))
