"""The labels that count, by criterion and response; an annotator may speak of a response once."""

from dataclasses import dataclass, field

from evalkit.calibration.rows import Inputs, Key, Row, Source, check_columns, passes, say_key
from evalkit.calibration.spec import CalibrationSpec
from evalkit.calibration.values import collapsed
from evalkit.core.errors import InputError, Place, unknown_name

Value = str | float | None


@dataclass(frozen=True)
class CriterionLabels:
    """One criterion's labels."""

    by_key: dict[Key, dict[str, tuple[Value, Row]]] = field(default_factory=dict)
    """Response -> annotator -> (value, row)."""


def labels_by_criterion(inputs: Inputs, spec: CalibrationSpec, notes: list[str]) -> dict[str, CriterionLabels]:
    """Every label that counts; skipped ones (null) are left out and counted in a note."""
    side, source = spec.labels, inputs.labels
    check_columns((side.field, *side.where), source, inputs.items)
    criteria = {str(row.fields.get("criterion")) for row in source.rows}
    if side.criterion is not None and side.criterion not in criteria:
        raise unknown_name("criterion", side.criterion, criteria, Place(source.file))
    found: dict[str, CriterionLabels] = {}
    n_skipped = n_repeated = 0
    for row in source.rows:
        criterion = str(row.fields.get("criterion"))
        if side.criterion not in (None, criterion) or not passes(row, side.where, inputs.items):
            continue
        value = collapsed(row, side.field, side.collapse, source)
        if value is None or row.fields.get("skip"):
            n_skipped += 1
            continue
        given = found.setdefault(criterion, CriterionLabels()).by_key.setdefault(row.key, {})
        n_repeated += _add_label(given, str(row.fields.get("annotator")), value, row, source)
    if not found:
        raise InputError("no label passes the filters of --spec (`where:`), or all are null.", Place(source.file))
    if n_skipped:
        notes.append(f"{n_skipped} labels are null or skipped and count nowhere.")
    if n_repeated:
        notes.append(f"{n_repeated} label rows repeat an earlier row of the same annotator and count once.")
    return found


def _add_label(given: dict[str, tuple[Value, Row]], annotator: str, value: Value, row: Row, source: Source) -> bool:
    """Add one label; True when the same one was there. Raises InputError when the annotator said something else."""
    if annotator not in given:
        given[annotator] = (value, row)
        return False
    earlier, earlier_row = given[annotator]
    if earlier != value:
        raise InputError(
            f'annotator "{annotator}" labels {say_key(row.key)} twice: "{earlier}" in line {earlier_row.line} and '
            f'"{value}" in line {row.line}. Keep one, or give the rows an `attempt`.',
            source.place(row),
        )
    return True
