"""The chosen judge's verdicts, under the label criterion that each is held against."""

from collections.abc import Mapping
from dataclasses import dataclass

from evalkit.calibration.judge_rows import IDENTITY, JudgeRows
from evalkit.calibration.labelled import CriterionLabels, Value
from evalkit.calibration.rows import Inputs, Key, Row, Source, check_columns, say_key
from evalkit.calibration.spec import CalibrationSpec, VerdictSide
from evalkit.calibration.values import collapsed
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.scale import Scale


@dataclass(frozen=True)
class CriterionVerdicts:
    """One criterion's verdicts."""

    by_key: dict[tuple[Key, str], tuple[Value, Row]]
    """(response, order) -> (value, row)."""
    filtered: frozenset[Key]
    """Responses that `judgements.where` leaves out."""


def verdicts_by_criterion(
    inputs: Inputs, judge: JudgeRows, labels: Mapping[str, CriterionLabels], spec: CalibrationSpec
) -> dict[str, CriterionVerdicts]:
    """The judge's verdicts under the label's criterion that each is held against."""
    side = spec.judgements or VerdictSide()
    if inputs.verdicts is None:
        return {}
    source = inputs.verdicts
    columns = [name for name in (side.field, *side.where) if name not in IDENTITY]
    check_columns(columns, source, inputs.items)
    named = _label_criterion_of(judge, source, labels, side)
    filtered: dict[str, set[Key]] = {}
    for row in judge.filtered:
        filtered.setdefault(named.get(str(row.fields.get("criterion")), ""), set()).add(row.key)
    found: dict[str, CriterionVerdicts] = {}
    for row in judge.rows:
        criterion = named.get(str(row.fields.get("criterion")))
        if criterion is None:
            continue
        value = collapsed(row, side.field, spec.verdict_collapse, source)
        if value is None and side.null_as is not None:
            value = _null_value(side.null_as, spec.scale)
        one = found.setdefault(criterion, CriterionVerdicts({}, frozenset(filtered.get(criterion, ()))))
        _add_verdict(one, judge, value, row, source)
    return found


def _add_verdict(one: CriterionVerdicts, judge: JudgeRows, value: Value, row: Row, source: Source) -> None:
    """Add one verdict. Raises InputError when the judge said something else of the same response."""
    place = (row.key, row.text("order") or "")
    earlier = one.by_key.setdefault(place, (value, row))
    if earlier[0] != value:
        raise InputError(
            f'judge "{judge.name}" gives {say_key(row.key)} two verdicts: "{earlier[0]}" in line {earlier[1].line} and '
            f'"{value}" in line {row.line}. Keep one, or choose with `where:` in --spec.',
            source.place(row),
        )


def _null_value(null_as: str, scale: Scale | None) -> Value:
    """What an unreadable verdict counts as, as a number on an interval scale."""
    if scale is None or scale.kind != "interval":
        return null_as
    try:
        return float(null_as)
    except ValueError as error:
        raise InputError(f"`null_as: {null_as}` is no number, but the scale is interval.") from error


def _label_criterion_of(
    judge: JudgeRows, source: Source, labels: Mapping[str, CriterionLabels], side: VerdictSide
) -> dict[str, str]:
    """Verdict criterion -> label criterion. The same name, unless the settings name both sides."""
    present = {str(row.fields.get("criterion")) for row in (*judge.rows, *judge.filtered)}
    if side.criterion is not None:
        if side.criterion not in present:
            raise unknown_name("criterion", side.criterion, present, Place(source.file))
        if len(labels) > 1:
            raise InputError(
                f"`judgements.criterion: {side.criterion}` goes with one label criterion; there are {len(labels)}: "
                f"{', '.join(sorted(labels))}. Choose one with --criterion."
            )
        return {side.criterion: next(iter(labels))}
    shared = present & set(labels)
    if not shared:
        raise InputError(
            f'the labels speak of {", ".join(sorted(labels))}, judge "{judge.name}" of {", ".join(sorted(present))}. '
            "Name the criterion of each side in --spec (`labels: {criterion: ...}`, `judgements: {criterion: ...}`).",
            Place(source.file),
        )
    return {criterion: criterion for criterion in shared}
