"""One run in numbers: every metric, overall and per slice, as `summary.json`."""

from typing import Any

import numpy as np

from evalkit.comparison.pair import arm_estimate
from evalkit.comparison.table import TaskTable, metric_values, slice_mask, slices_of
from evalkit.core.errors import Place
from evalkit.core.estimate import Estimate, Slice
from evalkit.core.noun import Noun
from evalkit.core.suite import MetricSpec
from evalkit.runner.table import read_tables
from evalkit.store.disk import read_document
from evalkit.store.rundir import RunDirectory
from evalkit.store.schema import check_schema

SUMMARY_SCHEMA = "evalkit.summary/1"


class SummaryRow(Noun):
    """One metric in one slice of one run."""

    metric: str
    slice: Slice = {}
    better: str
    estimate: Estimate


def summarize(tables: dict[str, TaskTable]) -> tuple[SummaryRow, ...]:
    """Every metric of every task, the overall first."""
    return tuple(row for table in tables.values() for metric in table.task.metrics for row in _rows(table, metric))


def summary_document(run_id: str, rows: tuple[SummaryRow, ...]) -> dict[str, Any]:
    """What `summary.json` holds."""
    return {"schema": SUMMARY_SCHEMA, "run_id": run_id, "metrics": [row.model_dump(mode="json") for row in rows]}


def read_summary(directory: RunDirectory) -> tuple[SummaryRow, ...]:
    """The rows of a run's summary; made again from its scores where it was deleted."""
    if not directory.summary.is_file():
        return summarize(read_tables(directory))
    document = read_document(directory.summary)
    check_schema(document, SUMMARY_SCHEMA, Place(directory.summary))
    return tuple(SummaryRow.model_validate(row) for row in document["metrics"])


def _rows(table: TaskTable, metric: MetricSpec) -> list[SummaryRow]:
    found = metric_values(table, metric)
    spoken_of = np.zeros(table.n_samples, dtype=bool)
    spoken_of[found.rows_N] = True
    slices: list[Slice] = [{}]
    for columns in table.task.slices:
        slices += slices_of(table, columns, spoken_of)
    rows = []
    for wanted in slices:
        inside = slice_mask(table, wanted)[found.rows_N]
        estimate = arm_estimate(found.values_N[inside], table.cluster_N[found.rows_N][inside], found.unit)
        rows.append(
            SummaryRow(metric=f"{table.task.name}.{metric.name}", slice=wanted, better=metric.better, estimate=estimate)
        )
    return rows
