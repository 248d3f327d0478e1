"""Read a run's files into tables: samples x attempts for each scorer of each task."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from evalkit.comparison.table import ScorerColumn, TaskTable
from evalkit.core.errors import InputError, Place, RunInvalid
from evalkit.core.manifest import RunManifest, resuming
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import Task
from evalkit.runner.plan import PlannedSample, sampling_of
from evalkit.store.records import read_records
from evalkit.store.rundir import RunDirectory


@dataclass
class _Growing:
    """One task's table while it is read."""

    task: Task
    attempts: int
    sample_ids: list[str] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    columns: dict[str, list[str | None]] = field(default_factory=dict)
    row_of: dict[str, int] = field(default_factory=dict)
    scorers: dict[str, ScorerColumn] = field(default_factory=dict)


def read_tables(directory: RunDirectory, extra_columns: Iterable[str] = ()) -> dict[str, TaskTable]:
    """Task -> table. `extra_columns`: slice columns wanted beside those the suite names (a gate's).

    Raises InputError for a column that is none.
    """
    manifest = directory.manifest
    growing = {
        task.name: _Growing(task, sampling_of(task, manifest.candidate).attempts) for task in manifest.suite.tasks
    }
    for table in growing.values():
        table.columns = {name: [] for name in columns_of(table.task, extra_columns)}
    for _, planned in read_records(directory.samples, PlannedSample):
        if planned.task not in growing:
            raise InputError(
                f'holds a sample of task "{planned.task}", which the suite has not', Place(directory.samples)
            )
        _add_sample(growing[planned.task], planned.sample)
    _add_scores(directory, manifest, growing)
    return {name: _finished(table) for name, table in growing.items() if table.sample_ids}


def columns_of(task: Task, extra: Iterable[str] = ()) -> tuple[str, ...]:
    """Every column that a task's slices, its metrics' `where` and the caller need."""
    named = [column for columns in task.slices for column in columns]
    named += [column for metric in task.metrics for column in metric.where]
    return tuple(dict.fromkeys([*named, *extra]))


def current_digests(manifest: RunManifest, task: Task) -> dict[str, str]:
    """Scorer name in scores.jsonl -> the digest its scores must have to count."""
    digests: dict[str, str] = {}
    for spec in task.scorers:
        if spec.judge is None:
            digests[spec.name] = manifest.digests.get(f"scorer:{task.name}/{spec.name}", "")
            continue
        bound = manifest.judges.get(spec.judge)
        if bound is None:
            raise RunInvalid(f"run {manifest.run_id} has no scores of judge {spec.judge}: {resuming(manifest)}")
        criteria = bound.spec.criteria
        names = [f"{spec.scorer}/{criterion}" for criterion in criteria] if len(criteria) > 1 else [spec.scorer]
        digests |= dict.fromkeys(names, bound.digest)
    return digests


def _add_sample(table: _Growing, sample: Sample) -> None:
    table.row_of[sample.id] = len(table.sample_ids)
    table.sample_ids.append(sample.id)
    table.clusters.append(sample.cluster_id)
    for name, values in table.columns.items():
        try:
            values.append(sample.column(name))
        except KeyError:
            raise InputError(
                f'"{name}" is no column to slice by: use language, source_language, cluster, tags.NAME or metadata.NAME'
            ) from None


def _add_scores(directory: RunDirectory, manifest: RunManifest, growing: dict[str, _Growing]) -> None:
    wanted = {task.name: current_digests(manifest, task) for task in manifest.suite.tasks}
    for name, table in growing.items():
        table.scorers = {scorer: _empty(len(table.sample_ids), table.attempts) for scorer in wanted[name]}
    for _, score in read_records(directory.scores, Score):
        if wanted.get(score.key.task, {}).get(score.scorer) == score.scorer_digest:
            if score.key.sample_id not in growing[score.key.task].row_of:
                name = f'sample "{score.key.sample_id}" of task {score.key.task}'
                raise InputError(
                    f"holds a score of {name}, which is not in samples.jsonl: restore it", Place(directory.scores)
                )
            _add_score(growing[score.key.task], score)


def _add_score(table: _Growing, score: Score) -> None:
    row, attempt = table.row_of[score.key.sample_id], score.key.attempt
    column = table.scorers[score.scorer]
    column.values_NK[row, attempt] = np.nan if score.value is None else score.value
    column.labels_NK[row, attempt] = score.label
    column.blame_NK[row, attempt] = None if score.failure is None else score.failure.blame
    if score.unit and score.unit != column.unit:
        table.scorers[score.scorer] = ScorerColumn(score.unit, column.values_NK, column.labels_NK, column.blame_NK)


def _empty(samples: int, attempts: int) -> ScorerColumn:
    shape = (samples, attempts)
    labels, blame = np.full(shape, None, dtype=object), np.full(shape, "system", dtype=object)
    return ScorerColumn("", np.full(shape, np.nan), labels, blame)


def _finished(table: _Growing) -> TaskTable:
    return TaskTable(
        task=table.task,
        sample_ids=tuple(table.sample_ids),
        cluster_N=np.array(table.clusters, dtype=object),
        columns={name: np.array(values, dtype=object) for name, values in table.columns.items()},
        scorers=table.scorers,
    )
