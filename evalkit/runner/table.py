"""Read a run's files into tables: samples x attempts for each scorer of each task; and count what they hold.

Everything is packed, so that a run of a million samples is summarized in little memory: ids as their letters, clusters
as numbers, failures as the number of their kind. Each file is read once.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.comparison.table import TaskTable
from evalkit.core.errors import InputError, Place
from evalkit.core.manifest import RunManifest
from evalkit.core.noun import Noun
from evalkit.core.response import Response
from evalkit.core.score import Score
from evalkit.core.suite import Task
from evalkit.runner.growing_table import GrowingTable
from evalkit.runner.plan import PlannedSample
from evalkit.runner.requests import sampling_of
from evalkit.store.records import bad_line, line_number_at, read_records, read_rows_as_written
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class RunTables:
    """What a run holds."""

    tables: dict[str, TaskTable]
    """Task -> its table; a task without a sample has none."""
    counts: dict[str, int]
    """responses, failed_candidate, failed_system (of the answers), scores, failed_judge (of the scores), tokens, and
    `BLAME:KIND`. unjudged: scores that a judge's engine or server, not the judge, failed to give; by kind too.
    """


def read_run(directory: RunDirectory) -> RunTables:
    """The tables with the columns that the suite names, without ids, and the counts."""
    growing = _grown(directory, (), keep_ids=False)
    _add_lines(directory.responses, Response, lambda row: growing[row["key"]["task"]].add_response(row))
    counts: Counter[str] = Counter()
    for table in growing.values():
        counts += table.counts()
    always = dict.fromkeys(("responses", "failed_candidate", "failed_system", "failed_judge", "from_cache"), 0)
    return RunTables(_finished(growing), {**always, **counts})


def read_tables(directory: RunDirectory, extra_columns: Iterable[str] = ()) -> dict[str, TaskTable]:
    """Task -> table. `extra_columns`: slice columns wanted beside those the suite names (a gate's).

    Raises InputError for a column that is none.
    """
    return _finished(_grown(directory, extra_columns))


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
        if bound is None:  # the run was stopped before this judge was there
            digests[spec.scorer] = ""
            continue
        criteria = bound.spec.criteria
        names = [f"{spec.scorer}/{criterion}" for criterion in criteria] if len(criteria) > 1 else [spec.scorer]
        digests |= dict.fromkeys(names, bound.digest)
    return digests


def _grown(directory: RunDirectory, extra_columns: Iterable[str], keep_ids: bool = True) -> dict[str, GrowingTable]:
    """The tables, with samples and scores."""
    manifest, extra = directory.manifest, tuple(extra_columns)
    growing = {
        task.name: GrowingTable(task, sampling_of(task, manifest.candidate).attempts, columns_of(task, extra), keep_ids)
        for task in manifest.suite.tasks
    }
    for _, planned in read_records(directory.samples, PlannedSample):
        if planned.task not in growing:
            raise InputError(
                f'holds a sample of task "{planned.task}", which the suite has not', Place(directory.samples)
            )
        growing[planned.task].add_sample(planned.sample)
    wanted = {task.name: current_digests(manifest, task) for task in manifest.suite.tasks}
    for name, table in growing.items():
        table.expect_scores(wanted[name])

    def add_score(row: dict[str, Any]) -> bool:
        task, scorer = row["key"]["task"], row["scorer"]
        return wanted.get(task, {}).get(scorer) != row["scorer_digest"] or growing[task].add_score(row)

    _add_lines(directory.scores, Score, add_score)
    return growing


def _add_lines(path: Path, model: type[Noun], add: Callable[[dict[str, Any]], bool]) -> None:
    """Add every line of a file as it is written: millions are read whenever a run is counted.

    Raises InputError with the line for one that is no `model`, or of a sample that samples.jsonl does not hold.
    """
    for offset, row in read_rows_as_written(path):
        try:
            known = add(row)
        except (LookupError, TypeError, ValueError, AttributeError):
            try:
                known = not model.model_validate(row)  # as strict as it should be, and with words
            except ValidationError as error:
                raise bad_line(error, path, line_number_at(path, offset)) from error
        if not known:
            key = row["key"]
            name = f'sample "{key["sample_id"]}" of task {key["task"]}'
            raise InputError(f"speaks of {name}, which is not in samples.jsonl: restore it", Place(path))


def _finished(growing: dict[str, GrowingTable]) -> dict[str, TaskTable]:
    return {name: table.finished() for name, table in growing.items() if len(table)}
