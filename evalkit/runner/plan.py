"""Which samples a run asks, and whether what was planned is still there.

suite, filter -> samples.jsonl (every sample once) and requests.jsonl (what will be sent: requests.py)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evalkit.content.datasets import iter_samples
from evalkit.content.suites import LoadedSuite
from evalkit.core.errors import InputError, Place
from evalkit.core.noun import Noun
from evalkit.core.sample import Sample
from evalkit.core.suite import Suite, Task
from evalkit.runner.shard import Shard
from evalkit.store.records import count_records
from evalkit.store.rundir import RunDirectory


class PlannedSample(Noun):
    """One line of samples.jsonl."""

    task: str
    sample: Sample
    place: int | None = None
    """In a shard: the sample's line in the task's data, from 1, by which shards are put together in order."""


@dataclass(frozen=True)
class Filter:
    """Which part of a suite is run; the default is all of it."""

    limit: int | None = None
    """At most this many samples of each task."""
    languages: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """`name` (the tag is set) or `name=value`."""
    shard: Shard | None = None
    """Of what all the others leave."""

    def described(self) -> dict[str, object] | None:
        """For the manifest; None when nothing is filtered."""
        chosen: dict[str, object] = {
            "limit": self.limit,
            "language": self.languages,
            "task": self.tasks,
            "tag": self.tags,
        }
        chosen["shard"] = self.shard and str(self.shard)
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items() if value
        } or None

    def keeps(self, sample: Sample) -> bool:
        """Whether a sample passes language and tags."""
        if self.languages and sample.language not in self.languages:
            return False
        return all(_has_tag(sample, tag) for tag in self.tags)


def check_filter(chosen: Filter, tasks: tuple[Task, ...]) -> None:
    """Raises InputError for a task the suite does not have, or a limit below 1."""
    if chosen.limit is not None and chosen.limit < 1:
        raise InputError(f"--limit {chosen.limit}: at least 1 sample is needed")
    names = [task.name for task in tasks]
    unknown = [name for name in chosen.tasks if name not in names]
    if unknown:
        raise InputError(f"--task {unknown[0]}: the suite has no such task. It has: {', '.join(names)}")


def check_plan(directory: RunDirectory) -> None:
    """Raise InputError when samples or requests that were planned are not on file any more, or never were."""
    counts = directory.manifest.counts
    if "requests" not in counts:
        raise InputError("this run was stopped before it was planned: run it again (--resume)", Place(directory.path))
    for path, name in ((directory.samples, "samples"), (directory.requests, "requests")):
        n = count_records(path)
        if n != counts.get(name):
            raise InputError(
                f"holds {n} of the {counts.get(name)} {name} that were planned: restore it, or run again", Place(path)
            )
    answered = count_records(directory.responses)
    if directory.manifest.status == "complete" and answered < counts.get("responses", 0):
        raise InputError(
            f"holds {answered} of the {counts['responses']} answers of this finished run: restore it, or run again",
            Place(directory.responses),
        )


def check_same_questions(
    asked: Suite, wanted: Suite, asked_digests: Mapping[str, str], data: Mapping[str, str]
) -> None:
    """Raise InputError when a suite would ask other questions than those a run's answers answer.

    asked_digests: the run's; data: task -> digest of the suite's data as it is now.
    """
    before, after = {task.name: task for task in asked.tasks}, {task.name: task for task in wanted.tasks}
    differing = sorted(before.keys() ^ after.keys())
    for name in before.keys() & after.keys():
        same = (before[name].prompt, before[name].sampling, before[name].data.columns) == (
            after[name].prompt,
            after[name].sampling,
            after[name].data.columns,
        )
        if not same or asked_digests.get(f"data:{name}") != data.get(name):
            differing.append(name)
    if differing:
        raise InputError(
            f"suite {wanted.name} asks other questions now than the run's answers answer (data, prompt or sampling of "
            f"task {', '.join(sorted(differing))} changed): run it again instead of scoring it again"
        )


def planned_samples(
    loaded: LoadedSuite, chosen: Filter, data_folders: tuple[Path, ...]
) -> Iterator[tuple[Task, Sample]]:
    """The samples that will be asked, streaming. Raises what `planned_rows` raises."""
    for task, row in planned_rows(loaded, chosen, data_folders):
        yield task, row.sample


def planned_rows(
    loaded: LoadedSuite, chosen: Filter, data_folders: tuple[Path, ...]
) -> Iterator[tuple[Task, PlannedSample]]:
    """The lines of samples.jsonl, streaming. Raises InputError when a filter leaves none; a shard may hold none."""
    check_filter(chosen, loaded.suite.tasks)
    any_left = False
    for task in loaded.suite.tasks:
        if chosen.tasks and task.name not in chosen.tasks:
            continue
        kept = 0
        for line, sample in iter_samples(task, loaded.folder, data_folders):
            if chosen.limit is not None and kept >= chosen.limit:
                break
            if chosen.keeps(sample):
                kept, any_left = kept + 1, True
                if chosen.shard is None:
                    yield task, PlannedSample(task=task.name, sample=sample)
                elif chosen.shard.holds(task.name, sample):
                    yield task, PlannedSample(task=task.name, sample=sample, place=line)
    if not any_left:
        raise InputError(f"no sample is left to run: suite {loaded.suite.name}, filter {chosen.described()}")


def _has_tag(sample: Sample, tag: str) -> bool:
    name, equals, value = tag.partition("=")
    return name in sample.tags and (not equals or sample.tags[name] == value)
