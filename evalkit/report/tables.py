"""The CSVs beside the page: everything it shows, unrounded.

UTF-8, comma, CRLF (RFC 4180; a lone carriage return in an answer is then quoted too), one line of differing headers.
A text that a spreadsheet would take for a formula (core/cell.py)
is prefixed with an apostrophe; numbers are written as numbers. Nothing known is an empty cell, never 0.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evalkit.core.cell import safe_cell
from evalkit.core.comparison import Changed, Comparison, MetricRow
from evalkit.core.estimate import Estimate, Slice
from evalkit.core.gate import Decision
from evalkit.report.gates import worst_first

GATES, METRICS, CHANGED = "gates.csv", "metrics.csv", "changed.csv"
PRIVATE_FILE = 0o600
"""Reports may hold people's text: for their owner alone, until they are shared on purpose."""
_ESTIMATE_FIELDS = ("value", "low", "high", "n", "n_clusters", "n_missing", "method", "reason")


def write_tables(comparison: Comparison, folder: Path, *, numbers_only: bool = False) -> tuple[Path, ...]:
    """Write gates.csv, metrics.csv and changed.csv; `numbers_only` leaves every prompt, answer and reason out."""
    columns = _slice_columns([*comparison.decisions, *comparison.metrics])
    tables = {
        GATES: [_gate(decision, columns) for decision in worst_first(comparison.decisions)],
        METRICS: [_metric(row, columns) for row in comparison.metrics],
        CHANGED: [_changed(sample, numbers_only) for sample in comparison.changed],
    }
    headers = {
        GATES: _gate_header(columns),
        METRICS: _metric_header(columns),
        CHANGED: _changed_header(comparison.changed, numbers_only),
    }
    return tuple(_write(folder / name, headers[name], rows) for name, rows in tables.items())


def _cell(value: Any) -> Any:
    """What a cell shows: nothing for None, yes or no, a number, or safe text.

    >>> _cell("=1+1"), _cell(True), _cell(None)
    ("'=1+1", 'yes', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, int | float) else safe_cell(str(value))


def _write(path: Path, header: Sequence[str], rows: Iterable[dict[str, Any]]) -> Path:
    # Lone surrogates in an answer have no UTF-8 form; they are written as \udXXX.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([_cell(name) for name in header])
        writer.writerows([_cell(row.get(name)) for name in header] for row in rows)
    path.chmod(PRIVATE_FILE)
    return path


def _slice_columns(rows: Iterable[Decision | MetricRow]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row.slice))


def _slices(wanted: Slice) -> dict[str, str]:
    return {f"slice.{column}": value for column, value in wanted.items()}


def _estimate_header(name: str) -> list[str]:
    return [name, *(f"{name}_{field}" for field in _ESTIMATE_FIELDS[1:])]


def _estimate(name: str, estimate: Estimate | None) -> dict[str, Any]:
    if estimate is None:
        return {}
    return {(name if field == "value" else f"{name}_{field}"): getattr(estimate, field) for field in _ESTIMATE_FIELDS}


def _gate_header(columns: Sequence[str]) -> list[str]:
    estimates = [name for arm in ("baseline", "candidate", "difference") for name in _estimate_header(arm)]
    sliced = [f"slice.{column}" for column in columns]
    before = ["gate", "metric", *sliced, "outcome", "severity", "required", "better", "unit"]
    after = [
        "margin",
        "bound",
        "lower_limit",
        "p",
        "p_adjusted",
        "n_pairs",
        "smallest_detectable_drop",
        "more_samples_needed",
    ]
    return [*before, *estimates, *after, "beside", "because"]


def _gate(decision: Decision, columns: Sequence[str]) -> dict[str, Any]:
    plain = decision.model_dump(exclude={"slice", "baseline", "candidate", "difference", "beside"})
    return {
        **plain,
        **_slices(decision.slice),
        "unit": decision.candidate.unit,
        "beside": "; ".join(decision.beside),
        **_estimate("baseline", decision.baseline),
        **_estimate("candidate", decision.candidate),
        **_estimate("difference", decision.difference),
    }


def _metric_header(columns: Sequence[str]) -> list[str]:
    estimates = [name for arm in ("baseline", "candidate", "difference") for name in _estimate_header(arm)]
    return [
        "metric",
        "task",
        "kind",
        "scorer",
        *(f"slice.{column}" for column in columns),
        "better",
        "unit",
        *estimates,
    ]


def _metric(row: MetricRow, columns: Sequence[str]) -> dict[str, Any]:
    return {
        **row.model_dump(include={"metric", "task", "kind", "scorer", "better"}),
        **_slices(row.slice),
        "unit": row.candidate.unit,
        **_estimate("baseline", row.baseline),
        **_estimate("candidate", row.candidate),
        **_estimate("difference", row.difference),
    }


def _changed_header(changed: Iterable[Changed], numbers_only: bool) -> list[str]:
    changed = list(changed)
    keys = list(dict.fromkeys(part for sample in changed for part in sample.key)) or ["task", "sample_id"]
    sliced = list(dict.fromkeys(column for sample in changed for column in sample.slices))
    header = ["metric", "transition", *(f"key.{part}" for part in keys), *(f"slice.{column}" for column in sliced)]
    if numbers_only:
        return header
    texts = [f"{arm}_{part}" for part in ("score", "text", "reason") for arm in ("baseline", "candidate")]
    return [*header, "language", "prompt", "target", *texts]


def _changed(sample: Changed, numbers_only: bool) -> dict[str, Any]:
    row = {"metric": sample.metric, "transition": sample.transition, **_slices(sample.slices)}
    row.update({f"key.{part}": value for part, value in sample.key.items()})
    if numbers_only:
        return row
    return {
        **row,
        **sample.model_dump(exclude={"metric", "transition", "key", "slices", "target"}),
        "target": "\n".join(sample.target),
    }
