"""Whether some runs are all the shards of one run: each there once, finished, and made alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from evalkit.core.errors import InputError, Place, RunInvalid
from evalkit.core.manifest import RunManifest, resuming
from evalkit.runner.opened import open_run
from evalkit.runner.shard import Shard, read_shard
from evalkit.store.rundir import MANIFEST, RunDirectory


@dataclass(frozen=True)
class ShardRun:
    """A run of one shard."""

    directory: RunDirectory
    shard: Shard

    @property
    def manifest(self) -> RunManifest:
        """Of the run."""
        return self.directory.manifest


def find_shards(named: Sequence[str], runs: Path) -> list[RunDirectory]:
    """The runs that paths, ids or folders of runs name; within a folder, at any depth. Merged runs there are left out.

    Raises InputError for a name that is neither a run nor a folder that holds one.
    """
    found: dict[Path, RunDirectory] = {}
    for name in named:
        folder = Path(name)
        if folder.is_dir() and not (folder / MANIFEST).is_file():
            inside = [RunDirectory.open(file.parent) for file in sorted(folder.rglob(MANIFEST))]
            if not inside:
                raise InputError(f"holds no run: there is no {MANIFEST} in it or below", Place(folder))
            opened = [run for run in inside if not run.manifest.merged_from]
        else:
            opened = [open_run(name, runs)]
        found |= {run.path.resolve(): run for run in opened}
    return list(found.values())


def shards_of_one_run(directories: Sequence[RunDirectory]) -> tuple[ShardRun, ...]:
    """The shards, first to last.

    Raises InputError, naming the run and what is wrong, when one is no shard, missing, given twice or differs from the
    others in what makes its answers and scores; RunInvalid when one is not finished.
    """
    if not directories:
        raise InputError("there is no run to merge: name the runs of all shards, or a folder that holds them")
    runs = sorted((_shard_run(directory) for directory in directories), key=lambda run: run.shard.part)
    _check_same(runs, _asked)
    _check_each_once(runs)
    for run in runs:
        if run.manifest.status != "complete":
            raise RunInvalid(
                f"run {run.directory.path} (shard {run.shard}) is {run.manifest.status}: finish it with "
                f"{resuming(run.manifest)}, then merge"
            )
    # A shard without a sample has asked nobody: it does not know who would have answered.
    _check_same([run for run in runs if run.manifest.counts.get("samples")], _answered)
    return tuple(runs)


def filter_of(manifest: RunManifest) -> dict[str, Any] | None:
    """What else than the shard made the run partial; None = nothing."""
    return {name: value for name, value in (manifest.partial or {}).items() if name != "shard"} or None


def _shard_run(directory: RunDirectory) -> ShardRun:
    written = (directory.manifest.partial or {}).get("shard")
    if not isinstance(written, str):
        raise InputError(
            f"run {directory.path} is no shard: merge takes runs that were made with `evalkit run ... --shard K/N`"
        )
    return ShardRun(directory, read_shard(written))


def _check_each_once(runs: Sequence[ShardRun]) -> None:
    first, parts = runs[0], runs[0].shard.parts
    for run in runs:
        if run.shard.parts != parts:
            raise InputError(
                f"run {first.directory.path} is shard {first.shard} and run {run.directory.path} shard {run.shard}: "
                "merge takes the shards of one N"
            )
    for one, next_one in pairwise(runs):
        if one.shard == next_one.shard:
            raise InputError(
                f"shard {one.shard} is given twice: {one.directory.path} and {next_one.directory.path}. Leave one out."
            )
    missing = sorted(set(range(1, parts + 1)) - {run.shard.part for run in runs})
    if missing:
        *most, last = map(str, missing)
        named = f"shards {', '.join(most)} and {last} of {parts} are" if most else f"shard {last} of {parts} is"
        raise InputError(f"{named} missing: run `evalkit run ... --shard {missing[0]}/{parts}`, then merge all")


def _asked(manifest: RunManifest) -> Iterator[tuple[str, object]]:
    """(field, value) of what makes the questions, known as soon as a run is made."""
    yield "schema", manifest.schema_
    yield "suite", manifest.suite.name
    yield "filter", filter_of(manifest)
    for name, digest in manifest.digests.items():
        if name.split(":")[0] in ("suite", "candidate", "data"):
            yield name, digest


def _answered(manifest: RunManifest) -> Iterator[tuple[str, object]]:
    """(field, value) of what makes the answers and the scores, known at the end of a run."""
    for name, digest in manifest.digests.items():
        if name.split(":")[0] in ("model", "scorer", "judge"):
            yield name, digest


def _check_same(runs: Sequence[ShardRun], fields: Callable[[RunManifest], Iterator[tuple[str, object]]]) -> None:
    for run in runs[1:]:
        expected, found = dict(fields(runs[0].manifest)), dict(fields(run.manifest))
        for name in dict.fromkeys([*expected, *found]):
            if expected.get(name) != found.get(name):
                raise InputError(
                    f"run {run.directory.path} (shard {run.shard}) differs from run {runs[0].directory.path} in its "
                    f"{name} ({_short(found.get(name))} against {_short(expected.get(name))}): shards of one run are "
                    "made alike. Run it again, by the command of the others."
                )


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {chosen}" for name, chosen in value.items())
    return "absent" if value is None else str(value)[:40]
