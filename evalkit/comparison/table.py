"""A task's scores as arrays: samples x attempts for each scorer, and how a metric reads them.

    sample_ids   ("q1@en", "q1@ar", ...)
    scorers      {"judge:refusal": labels_NK, values_NK, blame_NK}

A metric turns one scorer's arrays into one number per sample, averaged over attempts; NaN = missing, with whose fault
it is counted beside it. Reading a run's files into this table is not done here: see runner/table.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import unknown_name
from evalkit.core.failure import Blame
from evalkit.core.suite import MetricSpec, Task

FloatArray = NDArray[np.float64]
TextArray = NDArray[np.object_]
BoolArray = NDArray[np.bool_]


BLAMES: tuple[Blame, ...] = ("system", "judge", "candidate")
"""In the order in which missing scores are looked at."""


@dataclass(frozen=True)
class ScorerColumn:
    """One scorer's scores. N samples, K attempts."""

    unit: str
    values_NK: FloatArray
    """NaN where the score is a label, a failure or absent."""
    labels_NK: TextArray
    """None where the score is a value, a failure or absent."""
    blame_NK: TextArray
    """Whose failure it is: candidate, judge, system; None = no failure. An absent score is the system's."""


@dataclass(frozen=True)
class TaskTable:
    """Everything known of one task's samples in one run."""

    task: Task
    sample_ids: Sequence[str]
    """Empty where they were not asked for."""
    cluster_N: NDArray[Any]
    """Equal for samples of one cluster; a sample without one has a value of its own."""
    columns: dict[str, TextArray]
    """Slice column -> its value per sample; None = not set."""
    scorers: dict[str, ScorerColumn]

    @property
    def n_samples(self) -> int:
        """N."""
        return len(self.cluster_N)


@dataclass(frozen=True)
class MetricValues:
    """One number per sample of one metric. N = the samples that the metric speaks of."""

    rows_N: NDArray[np.intp]
    """Row of each sample in the task's table."""
    values_N: FloatArray
    """Mean over attempts; NaN = missing."""
    missing_N: dict[Blame, FloatArray]
    """Whose fault -> the share of each sample's attempts that have no value through it."""
    unit: str


def metric_values(table: TaskTable, metric: MetricSpec) -> MetricValues:
    """Read one metric off a task's table. Raises InputError when its scorer has no scores."""
    column = table.scorers.get(metric.scorer)
    if column is None:
        raise unknown_name(f"task {table.task.name}, metric {metric.name}: scorer", metric.scorer, table.scorers)
    rows_N = np.flatnonzero(_where(table, metric))
    unit = "share" if metric.reduce == "share" else column.unit or metric.unit
    values_NK = _attempt_values(column, metric)[rows_N]
    missing_NK = np.isnan(values_NK)
    if not missing_NK.any():  # as in nearly every run, and in a tenth of the memory
        nothing_N = np.broadcast_to(0.0, len(rows_N))
        return MetricValues(rows_N, values_NK.mean(axis=1), dict.fromkeys(BLAMES, nothing_N), unit)
    # A label where a number is asked for, or the other way round, is there and says nothing: whoever gave it failed.
    of_another_kind_NK = missing_NK & (column.blame_NK[rows_N] == None)  # noqa: E711
    blame_NK = np.where(of_another_kind_NK, "judge", column.blame_NK[rows_N])
    if unit == "share" and table.task.on_candidate_failure == "wrong":
        values_NK = np.where(blame_NK == "candidate", 0.0 if metric.better == "higher" else 1.0, values_NK)
        missing_NK = np.isnan(values_NK)
    counted_N = (~missing_NK).sum(axis=1)
    sums_N = np.where(missing_NK, 0.0, values_NK).sum(axis=1)
    values_N = np.divide(sums_N, counted_N, out=np.full(len(rows_N), np.nan), where=counted_N > 0)
    missing_N = {blame: (missing_NK & (blame_NK == blame)).mean(axis=1) for blame in BLAMES}
    return MetricValues(rows_N, values_N, missing_N, unit)


def slice_mask(table: TaskTable, wanted: dict[str, str]) -> BoolArray:
    """Which samples lie in a slice; {} = all. Raises InputError for a column the task does not keep."""
    mask = np.ones(table.n_samples, dtype=bool)
    for column, value in wanted.items():
        mask &= _column(table, column) == value
    return mask


def slices_of(table: TaskTable, columns: tuple[str, ...], mask_N: BoolArray | None = None) -> list[dict[str, str]]:
    """The slices that occur for a set of columns, sorted; samples without a value in one of them lie in none."""
    if not columns:
        return []
    rows = zip(
        *(_column(table, column) if mask_N is None else _column(table, column)[mask_N] for column in columns),
        strict=True,
    )
    found = {row for row in rows if all(value is not None for value in row)}
    return [dict(zip(columns, row, strict=True)) for row in sorted(found)]


def _attempt_values(column: ScorerColumn, metric: MetricSpec) -> FloatArray:
    if metric.reduce == "mean":
        return column.values_NK
    counts_NK = np.zeros(column.labels_NK.shape)
    for label in metric.labels:
        counts_NK[column.labels_NK == label] = 1.0
    counts_NK[column.labels_NK == None] = np.nan  # noqa: E711  (elementwise on an object array)
    return counts_NK


def _where(table: TaskTable, metric: MetricSpec) -> BoolArray:
    mask = np.ones(table.n_samples, dtype=bool)
    for column, wanted in metric.where.items():
        values = (wanted,) if isinstance(wanted, str) else wanted
        mask &= np.array([value in values for value in _column(table, column)], dtype=bool)
    return mask


def _column(table: TaskTable, name: str) -> TextArray:
    if name not in table.columns:
        raise unknown_name(f"task {table.task.name}: column", name, table.columns)
    return table.columns[name]
