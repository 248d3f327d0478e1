"""Which responses judge and people, or people among themselves, see differently: what a lead reads next to a card.

item_id,system,criterion,reference,label,judge,annotation_1,annotation_2
xs-12,llama2new,refusal,adjudicated,comply,refuse,comply,comply
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.join import Joined
from evalkit.calibration.references import fitness_references
from evalkit.calibration.spec import CalibrationSpec
from evalkit.calibration.table import Table
from evalkit.calibration.values import MISSING, Values, is_there


def disagreements(joined: Joined, spec: CalibrationSpec) -> list[dict[str, Any]]:
    """One row per response (and presentation order) on which somebody differs, numbers by the size of the difference.

    A verdict that could not be read is a row too: its `judge` is None.
    """
    rows = [row for table in joined.tables for row in _of_table(table, spec)]
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _of_table(table: Table, spec: CalibrationSpec) -> Iterator[tuple[float, dict[str, Any]]]:
    names = fitness_references(table, spec.reference)
    reference = next(iter(names), "")
    reference_N = names.get(reference)
    apart_N = _people_differ(table)
    for number, order in enumerate(table.orders or ("",)):
        verdicts_N = table.verdicts_ON[number] if table.orders else None
        size_N = _size(table, reference_N, verdicts_N)
        for row in np.flatnonzero((size_N > 0) | apart_N).tolist():
            label = None if reference_N is None else _said(table, reference_N, row)
            judge = {} if verdicts_N is None else {"judge": _said(table, verdicts_N, row)}
            people = {name: _said(table, table.ratings_AN[rater], row) for rater, name in enumerate(table.raters)}
            yield (
                float(size_N[row]),
                {
                    **_key(table, row, order),
                    "reference": reference,
                    "label": label,
                    **judge,
                    **people,
                },
            )


def _people_differ(table: Table) -> NDArray[np.bool_]:
    """Whether raters gave different labels; on an interval scale that is the usual case and says nothing."""
    if table.scale.kind == "interval" or not table.raters:
        return np.zeros(table.n, dtype=bool)
    there_AN = is_there(table.ratings_AN)
    lowest_N = np.where(there_AN, table.ratings_AN, np.iinfo(np.int16).max).min(axis=0)
    highest_N = np.where(there_AN, table.ratings_AN, MISSING).max(axis=0)
    return np.asarray(highest_N > lowest_N)


def _size(table: Table, reference_N: Values | None, verdicts_N: Values | None) -> NDArray[np.float64]:
    """How far the judge is from the reference: 0 = they agree, or nothing to compare."""
    if reference_N is None or verdicts_N is None:
        return np.zeros(table.n)
    if table.scale.kind == "interval":
        size_N = np.nan_to_num(np.abs(verdicts_N - reference_N))
    else:
        size_N = (verdicts_N != reference_N).astype(np.float64)
    size_N = np.where(is_there(verdicts_N), size_N, 1.0)
    return np.where(is_there(reference_N), size_N, 0.0)


def _said(table: Table, values_N: Values, row: int) -> str | float | None:
    value = values_N[row]
    if table.scale.kind == "interval":
        return None if np.isnan(value) else float(value)
    return None if value == MISSING else table.scale.labels[int(value)]


def _key(table: Table, row: int, order: str) -> dict[str, Any]:
    item_id, system, system_b, attempt = table.keys[row]
    key: dict[str, Any] = {"item_id": item_id, "system": system, "criterion": table.criterion}
    if system_b:
        key["system_b"] = system_b
    if order:
        key["order"] = order
    if attempt:
        key["attempt"] = attempt
    return key | {name: values[row] for name, values in table.columns.items()}
