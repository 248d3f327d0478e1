"""Small tables for tests: one task, one metric, scores given as lists."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit.comparison.pair import PairedMetric, pair_metric
from evalkit.comparison.table import ScorerColumn, TaskTable
from evalkit.core.suite import DataSource, MetricSpec, ScorerSpec, Task

TASK = Task(
    name="support",
    kind="safety",
    data=DataSource(file="samples.jsonl"),
    scorers=(ScorerSpec(scorer="exact", name="exact"),),
    metrics=(MetricSpec(name="right", scorer="exact"),),
    slices=(("language",),),
)


def table(
    values: Sequence[float | None],
    *,
    blame: Sequence[str | None] | None = None,
    unit: str = "share",
    languages: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    task: Task = TASK,
) -> TaskTable:
    """A table with one value per sample; None = a failure, by `blame` (the system's by default)."""
    n = len(values)
    names = tuple(ids or [f"s{number}" for number in range(n)])
    failed = blame or ["system" if value is None else None for value in values]
    column = ScorerColumn(
        unit=unit,
        values_NK=np.array([[np.nan if value is None else value] for value in values], dtype=float).reshape(n, 1),
        labels_NK=np.full((n, 1), None, dtype=object),
        blame_NK=np.array([[name] for name in failed], dtype=object).reshape(n, 1),
    )
    return TaskTable(
        task=task,
        sample_ids=names,
        cluster_N=np.array(clusters or names, dtype=object),
        columns={"language": np.array(languages or ["en"] * n, dtype=object)},
        scorers={"exact": column},
    )


def paired(baseline: TaskTable, candidate: TaskTable, **changes: Any) -> PairedMetric:
    """The task's one metric in both arms; `changes` to its spec (better="lower", ...)."""
    return pair_metric(baseline, candidate, TASK.metrics[0].model_copy(update=changes))
