"""Put the runs of all shards together into one whole run: the run that one job would have made.

    runs of shards 1/3, 2/3, 3/3 -> a run directory with all of their records, counted and summarized afresh

samples.jsonl and requests.jsonl are in the order of an unsharded run (each shard's samples know their place in the
data), everything else stands shard after shard and is found by key. Records are streamed: memory holds one of each
shard. Until the end the run says that it is incomplete; a merge that was cut off is made again from its beginning.
"""

import heapq
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.core.errors import InputError, Place
from evalkit.core.manifest import RunManifest
from evalkit.runner.command_text import without_options
from evalkit.runner.finished import check_unchanged
from evalkit.runner.passes import conclude
from evalkit.runner.plan import check_plan
from evalkit.runner.progress import Progress, Silent, Tally
from evalkit.runner.run import check_complete, check_run_id
from evalkit.runner.shard_runs import ShardRun, filter_of, shards_of_one_run
from evalkit.runner.under_way import tallied
from evalkit.store.appended import append_lines
from evalkit.store.records import BlockWriter, RecordWriter, read_rows_as_written
from evalkit.store.rundir import MANIFEST, RunDirectory, new_run_id

Row = Mapping[str, Any]


def merge_runs(
    directories: Sequence[RunDirectory],
    runs: Path = Path("runs"),
    run_id: str | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> RunDirectory:
    """Make one whole run of the runs of all shards, in the folder `runs`.

    run_id: the folder's name; None = made from the shards' names and earliest start, so that a merge that was cut off
    is found again. command: of this merge, for its manifest until it is whole.
    Raises what `shards_of_one_run` raises, InputError when the merged run is there already or a shard has lost records,
    and RunInvalid when too many answers are missing through the system's fault; the merged run is then there.
    """
    shards = shards_of_one_run(directories)
    for shard in shards:
        check_plan(shard.directory)
        check_unchanged(shard.directory)
    check_run_id(run_id, runs)
    begun = _begun(shards, run_id, command)
    directory = _opened(runs / begun.run_id, begun)
    with directory.lock():
        directory.write_manifest(begun)
        _copy(shards, directory, progress or Silent())
        _conclude(shards, directory, runs)
    check_complete(directory.manifest)
    return directory


def _begun(shards: Sequence[ShardRun], run_id: str | None, command: str) -> RunManifest:
    """The manifest while records are copied: the shards' own, incomplete, and without counts."""
    manifests = [shard.manifest for shard in shards]
    # One that holds samples knows model and judges.
    first = next((manifest for manifest in manifests if manifest.counts.get("samples")), manifests[0])
    started_at = min(manifest.started_at for manifest in manifests)
    update = {
        "run_id": run_id or new_run_id(f"{first.suite.name}-{first.candidate.name}-merged", started_at),
        "status": "incomplete",
        "started_at": started_at,
        "ended_at": None,
        "wall_s": None,
        "counts": {},
        "partial": filter_of(first),
        "merged_from": tuple(manifest.run_id for manifest in manifests),
        "versions": _of_all([manifest.versions for manifest in manifests]),
        "hardware": _of_all([manifest.hardware for manifest in manifests]),
        "git_commit": ", ".join(dict.fromkeys(each.git_commit for each in manifests if each.git_commit)) or None,
        "command": command,
    }
    return first.model_copy(update=update)


def _of_all(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What machines say of themselves; where they differ, everything that one of them says."""
    merged = {}
    for name in dict.fromkeys(name for each in facts for name in each):
        values = list(dict.fromkeys(str(each[name]) for each in facts if name in each))
        merged[name] = next(each[name] for each in facts if name in each) if len(values) == 1 else ", ".join(values)
    return merged


def _opened(path: Path, manifest: RunManifest) -> RunDirectory:
    """The directory to merge into: a new one, or that of a merge of the same shards that was cut off."""
    if (path / MANIFEST).is_file():
        found = RunDirectory.open(path)
        if found.manifest.merged_from != manifest.merged_from or found.manifest.counts:
            raise InputError("is there already: choose another name with --run-id, or delete it", Place(path))
        return found
    return RunDirectory.create(path, manifest)


def _copy(shards: Sequence[ShardRun], directory: RunDirectory, progress: Progress) -> None:
    for file in (*directory.path.glob("*.jsonl"), *directory.path.glob("judging/*/*/*.jsonl")):
        file.unlink()  # of a merge that was cut off
    copied = Tally("samples", sum(shard.manifest.counts["samples"] for shard in shards))
    with tallied(progress, copied):
        _copy_plan(shards, directory, copied)
    joined = Tally("shards", len(shards))
    with tallied(progress, joined):
        for shard in shards:
            _copy_rest(shard.directory, directory)
            joined.done += 1


def _copy_plan(shards: Sequence[ShardRun], directory: RunDirectory, copied: Tally) -> None:
    with BlockWriter(directory.samples) as samples, BlockWriter(directory.requests) as requests:
        asked = [_Requests(shard.directory.requests) for shard in shards]
        for number, planned in _in_order(shards):
            samples.append({name: value for name, value in planned.items() if name != "place"})
            for request in asked[number].of(planned):
                requests.append(request)
            copied.done += 1


def _copy_rest(source: RunDirectory, directory: RunDirectory) -> None:
    for file in (source.responses, source.scores, source.log_file, *source.path.glob("judging/*/*/responses.jsonl")):
        append_lines(file, directory.path / file.relative_to(source.path))
    for file in source.path.glob("judging/*/*/requests.jsonl"):
        _append_references(file, directory.path / file.relative_to(source.path), source, directory)


def _in_order(shards: Sequence[ShardRun]) -> Iterator[tuple[int, Row]]:
    """(number of the shard, line of its samples.jsonl) in the order of the tasks and of their data."""
    tasks = {task.name: place for place, task in enumerate(shards[0].manifest.suite.tasks)}

    def lines(number: int, shard: ShardRun) -> Iterator[tuple[tuple[int, int], int, Row]]:
        for _, planned in read_rows_as_written(shard.directory.samples):
            if planned.get("task") not in tasks or not isinstance(planned.get("place"), int):
                raise InputError("holds a line that no shard wrote: restore it", Place(shard.directory.samples))
            yield (tasks[planned["task"]], planned["place"]), number, planned

    streams = [lines(number, shard) for number, shard in enumerate(shards)]
    for _, number, planned in heapq.merge(*streams, key=lambda line: line[:2]):
        yield number, planned


class _Requests:
    """The requests of one shard, taken sample by sample."""

    def __init__(self, path: Path):
        self._path = path
        self._rows = (row for _, row in read_rows_as_written(path))
        self._next = next(self._rows, None)

    def of(self, planned: Row) -> Iterator[Row]:
        """Those of one sample; samples come in the order of requests.jsonl."""
        wanted = planned["task"], planned["sample"]["id"]
        found = False
        while self._next is not None and (self._next["key"]["task"], self._next["key"]["sample_id"]) == wanted:
            yield self._next
            found, self._next = True, next(self._rows, None)
        if not found:
            raise InputError(f'asks nothing of sample "{wanted[1]}" of task {wanted[0]}: restore it', Place(self._path))


def _append_references(source: Path, target: Path, shard: RunDirectory, directory: RunDirectory) -> None:
    """A judge's requests refer to the responses they are about: these now lie in the merged run."""
    with RecordWriter(target) as writer:
        for _, row in read_rows_as_written(source):
            about = [
                {**reference, "run": directory.manifest.run_id}
                if reference.get("run") == shard.manifest.run_id
                else reference
                for reference in row.get("about", ())
            ]
            writer.append({**row, "about": about})


def _conclude(shards: Sequence[ShardRun], directory: RunDirectory, runs: Path) -> None:
    manifests = [shard.manifest for shard in shards]
    planned: Counter[str] = Counter()
    for manifest in manifests:
        for name, number in manifest.counts.items():
            planned[name] += number if name.partition(":")[0] in ("samples", "requests") else 0
    walls_s = [manifest.wall_s for manifest in manifests if manifest.wall_s is not None]
    directory.log(
        "merged",
        shards=list(directory.manifest.merged_from),
        command=directory.manifest.command,
        wall_s_longest=max(walls_s, default=None),
        wall_s_sum=sum(walls_s) if walls_s else None,
    )
    command = without_options(next((m.command for m in manifests if m.command), ""), ("--shard", "--run-id", "--runs"))
    update = {
        "counts": {name: number for name, number in planned.items() if number or ":" not in name},
        "status": "complete",
        "ended_at": max((manifest.ended_at for manifest in manifests if manifest.ended_at), default=datetime.now(UTC)),
        "wall_s": sum(walls_s) if walls_s else None,
        "command": command and f"{command} {shlex.join(['--runs', str(runs), '--run-id', directory.manifest.run_id])}",
    }
    conclude(directory, update)
