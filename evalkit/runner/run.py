"""Runs, from a suite and candidates to run directories with scores and a summary.

    plan -> ask each candidate -> each judge over all runs -> score

Runs that belong together (the two of a release) are carried out together, so that each model is loaded once: the
candidates one after the other, then each judge. A run that was stopped at any byte goes on where it was: answers are
found by key and request digest, and only what is not there yet is asked.
"""

import asyncio
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of
from evalkit.core.errors import EngineLost, EvalkitError, InputError, Place, RunInterrupted, RunInvalid
from evalkit.core.manifest import BoundJudge, RunManifest, Status, partial_words, resuming
from evalkit.engines.base import Engine
from evalkit.runner import passes
from evalkit.runner.bind import Binding, bind, check_joins, check_metric_labels, judge_places, open_engine, system_of
from evalkit.runner.environment import git_commit, hardware, package_versions
from evalkit.runner.finished import is_finished
from evalkit.runner.judging import BesideJudging, bind_judges, judge
from evalkit.runner.meter import Limits, Meter, check_price
from evalkit.runner.plan import Filter, check_plan, check_same_questions
from evalkit.runner.progress import Progress, Silent
from evalkit.runner.under_way import Conduct, Run
from evalkit.store.cache import ResponseCache
from evalkit.store.rundir import MANIFEST, RunDirectory, list_runs, new_run_id, read_manifest

MAX_SYSTEM_FAILURES = 0.02
"""Share of answers missing through the system's fault above which a run is not to be relied on (exit 4)."""


@dataclass(frozen=True)
class RunSettings:
    """How a run is made, beside its suite and candidate."""

    runs: Path = Path("runs")
    """Folder that run directories are made in."""
    run_id: str | None = None
    """Name of the run directory; None = made from time and names."""
    judges: Mapping[str, str | Candidate] = field(default_factory=dict)
    """Judge name -> candidate (a path or short form) that answers for it."""
    data_folders: tuple[Path, ...] = ()
    """Where data, recorded answers and verdicts are looked for, after the folder of the YAML that names them."""
    filter: Filter = field(default_factory=Filter)
    limits: Limits = field(default_factory=Limits)
    """Where the command ends by itself."""
    resume: bool = False
    """Go on with the last run of the same suite, candidate and filter, if there is one; of a whole one nothing is
    asked.
    """
    cache: Path | None = None
    """Folder of the answers of other runs; None = they are not looked at, and nothing is kept for others."""
    command: str = ""
    """The command line, for the manifest."""


@dataclass(frozen=True)
class PreparedRun:
    """A run of which everything named was found, and nothing written or asked yet."""

    loaded: LoadedSuite
    binding: Binding
    engine: Engine
    settings: RunSettings
    manifest: RunManifest
    """As a new run's would be."""


def prepare_run(
    loaded: LoadedSuite, candidate: Candidate, settings: RunSettings, progress: Progress | None = None
) -> PreparedRun:
    """Find everything a run names. Raises InputError when something does not exist."""
    binding = bind(loaded, candidate, settings.judges, settings.data_folders)
    check_joins(binding, candidate)
    check_metric_labels(loaded, binding)
    # Latency is measured by streaming; elsewhere it only costs.
    timed = any(task.kind == "latency" for task in loaded.suite.tasks)
    say = (progress or Silent()).say
    engine = open_engine(candidate, (loaded.folder, *settings.data_folders), measure_timing=timed, say=say)
    check_run_id(settings.run_id, settings.runs)
    for asked in (candidate, *(bound.candidate for bound in binding.asked.values())):
        check_price(asked, settings.limits)
    return PreparedRun(loaded, binding, engine, settings, _manifest(loaded, candidate, binding, settings))


def check_run_id(run_id: str | None, runs: Path) -> None:
    """Raise InputError for an id that is no good name of a folder in `runs`."""
    if run_id is not None and not re.fullmatch(r"[\w@=+-][\w.@=+-]*", run_id):
        raise InputError(f"run id {run_id!r}: letters, digits and . _ - + = @ alone; it names a folder in {runs}")


def run_suite(
    loaded: LoadedSuite, candidate: Candidate, settings: RunSettings, progress: Progress | None = None
) -> RunDirectory:
    """Run a suite. Raises InputError before anything is asked when something named does not exist.

    Raises RunInterrupted on Ctrl-C, and RunInvalid when too many answers are missing through the system's fault; the
    run directory then holds everything finished.
    """
    return carry_out([prepare_run(loaded, candidate, settings, progress)], progress)[0]


def carry_out(
    prepared: Sequence[PreparedRun],
    progress: Progress | None = None,
    beside: Mapping[str, BesideJudging] | None = None,
) -> list[RunDirectory]:
    """Carry runs out together. Raises what `run_suite` raises; what is finished of any of them is kept.

    beside: judge name -> what else that judge is asked while it is there.
    """
    progress = progress or Silent()
    runs: dict[Path, Run] = {}
    under_way: list[Run] = []
    with ExitStack() as held:
        conduct = _conduct(prepared[0].settings, progress, held) if prepared else Conduct(progress)
        opened = [_open(each.manifest, each.settings) for each in prepared]
        for directory, each in zip(opened, prepared, strict=True):
            if directory.path in runs:  # two arms of a resumed release that are the same run
                continue
            held.enter_context(directory.lock())
            runs[directory.path] = run = Run(
                directory, each.loaded, each.binding, each.engine, each.settings.data_folders
            )
            if is_finished(run, each.manifest) and not beside:
                continue
            _bring_up_to_date(directory, each.manifest)
            held.enter_context(_under_way(directory))
            _plan(directory, each, conduct.progress)
            under_way.append(run)
        if under_way:
            asyncio.run(passes.ask_and_judge(under_way, conduct, beside or {}))
        for run in under_way:
            passes.finish(run.directory, "incomplete" if conduct.meter.stopped else "complete")
    for run in runs.values():
        if run in under_way and conduct.meter.stopped:
            _stopped_at_limit(run.directory, conduct.meter.stopped)
        check_complete(run.directory.manifest)
    return [runs[directory.path].directory for directory in opened]


@contextmanager
def planned(prepared: PreparedRun, progress: Progress) -> Iterator[Run]:
    """A run under its lock, planned and with its judges bound, of which nothing is asked here.

    It is incomplete afterwards, unless it was complete before.
    """
    directory = _open(prepared.manifest, prepared.settings)
    with directory.lock():
        was_complete = directory.manifest.status == "complete"
        _bring_up_to_date(directory, prepared.manifest)
        with _under_way(directory):
            _plan(directory, prepared, progress)
            run = Run(directory, prepared.loaded, prepared.binding, prepared.engine, prepared.settings.data_folders)
            bind_judges(run, _changed_judges(directory.manifest, run.binding))
            yield run
        _set_status(directory, "complete" if was_complete else "incomplete")


def score_run(
    directory: RunDirectory, loaded: LoadedSuite, settings: RunSettings, progress: Progress | None = None
) -> RunDirectory:
    """Score a run's answers again by its suite as it is now. Nothing is asked of the candidate; judges are asked as
    needed.
    """
    binding = bind_again(directory, loaded, settings)
    with ExitStack() as held:
        held.enter_context(directory.lock())
        manifest = directory.manifest
        score_as_now(directory, loaded, binding)
        directory.mend()
        run = Run(directory, loaded, binding, None, settings.data_folders)
        asyncio.run(_score(run, _conduct(settings, progress or Silent(), held)))
        passes.finish(directory, status=manifest.status)
    return directory


def bind_again(directory: RunDirectory, loaded: LoadedSuite, settings: RunSettings) -> Binding:
    """What scores the answers of a run by its suite as it is now. A judge that is not named again answers by the model
    it had.

    Raises InputError when the suite asks other questions now, or the run has lost a part of its files.
    """
    check_same_questions(directory.manifest.suite, loaded.suite, directory.manifest.digests, loaded.data_digests)
    check_plan(directory)
    before = {name: bound.candidate for name, bound in directory.manifest.judges.items() if bound.candidate is not None}
    kept = {name: candidate for name, candidate in before.items() if name in judge_places(loaded)}
    return bind(loaded, directory.manifest.candidate, {**kept, **settings.judges}, settings.data_folders)


def score_as_now(directory: RunDirectory, loaded: LoadedSuite, binding: Binding) -> None:
    """Write down by which suite, scorers and recorded judges a run is scored from here on. Needs the lock."""
    manifest = directory.manifest
    digests = {**manifest.digests, **_digests(loaded, manifest.candidate, binding)}
    update = {"suite": loaded.suite, "digests": digests, "judges": {**manifest.judges, **_recorded_judges(binding)}}
    directory.write_manifest(manifest.model_copy(update=update))


def _conduct(settings: RunSettings, progress: Progress, held: ExitStack) -> Conduct:
    """held: closes the cache."""
    cache = None if settings.cache is None else held.enter_context(ResponseCache(settings.cache, progress.say))
    return Conduct(progress, Meter(settings.limits), cache)


async def _score(run: Run, conduct: Conduct) -> None:
    await passes.score_answers(run, conduct)
    await judge([run], conduct)


def _stopped_at_limit(directory: RunDirectory, why: str) -> None:
    """Raise RunInvalid: a run that ended before its end says so, and how to go on."""
    manifest, counts = directory.manifest, directory.manifest.counts
    scores = counts.get("scores", 0)
    directory.log("stopped", error=why)
    raise RunInvalid(
        f"run {manifest.run_id} stopped: {why}. {counts['responses']} of {counts['requests']} requests are answered, "
        f"{scores} of {scores + counts.get('not_scored', 0)} scores given, and all of it is kept. "
        f"Go on with: {resuming(manifest)}"
    )


@contextmanager
def _under_way(directory: RunDirectory) -> Iterator[None]:
    """Marks a run as running; what stops it is written down in it before it is raised."""
    _set_status(directory, "running")
    try:
        yield
    except KeyboardInterrupt:
        _stopped(directory, "interrupted")
        raise RunInterrupted(
            f"interrupted; everything finished is kept. Go on with: {resuming(directory.manifest)}"
        ) from None
    except RunInterrupted:  # said already, by a run that was carried out beside this one
        _stopped(directory, "interrupted")
        raise
    except EvalkitError as error:
        _stopped(directory, "incomplete")
        directory.log("stopped", error=str(error))
        if isinstance(error, EngineLost):
            raise error.go_on_with(resuming(directory.manifest)) from None
        raise
    except Exception:
        _stopped(directory, "incomplete")
        directory.log("bug", traceback=traceback.format_exc())
        raise


def _stopped(directory: RunDirectory, status: Status) -> None:
    """A run that was whole before another one beside it was stopped stays so."""
    if directory.manifest.status == "running":
        _set_status(directory, status)


def _plan(directory: RunDirectory, prepared: PreparedRun, progress: Progress) -> None:
    for name, size in directory.mend().items():
        progress.say(f"{name}: a torn last line of {size} bytes was cut; what it held is done again")
    passes.plan(directory, prepared.loaded, prepared.settings.filter, prepared.settings.data_folders)
    check_plan(directory)


def _open(manifest: RunManifest, settings: RunSettings) -> RunDirectory:
    if settings.resume:
        for run in list_runs(settings.runs):
            if run.manifest is not None and _same_run(run.manifest, manifest, settings.run_id):
                return RunDirectory.open(run.path)
        _check_can_be_begun(settings.runs / manifest.run_id, manifest)
    return RunDirectory.create(settings.runs / manifest.run_id, manifest)


def _check_can_be_begun(path: Path, wanted: RunManifest) -> None:
    """Raise InputError when a run of this name is there that cannot be gone on with: damaged, or another one."""
    if not (path / MANIFEST).is_file():
        return
    found = read_manifest(path)
    names = [name for name in ("suite", "candidate") if found.digests.get(name) != wanted.digests.get(name)]
    data = [name for name in found.digests.keys() | wanted.digests.keys() if name.startswith("data:")]
    names += sorted(name for name in data if found.digests.get(name) != wanted.digests.get(name))
    if found.partial != wanted.partial:
        names.append(f"filter ({partial_words(found) or 'none'} there, {partial_words(wanted) or 'none'} now)")
    raise InputError(f"is a run of another {', '.join(names)}: choose another --run-id", Place(path))


def _bring_up_to_date(directory: RunDirectory, wanted: RunManifest) -> None:
    """A resumed run scores by its scorers, labels and recorded judges as they are now; older ones do not count."""
    found = directory.manifest
    update: dict[str, Any] = {
        "digests": {**found.digests, **wanted.digests},
        "judges": {**found.judges, **wanted.judges},
    }
    if wanted.command:  # its limits are those that hold now
        update["command"] = wanted.command
    directory.update_manifest(found.model_copy(update=update))


def _same_run(found: RunManifest, wanted: RunManifest, run_id: str | None) -> bool:
    """Whether `found` is to be gone on with: the same questions to the same candidate."""
    asked = [name for name in found.digests.keys() | wanted.digests.keys() if name.startswith("data:")]
    same = all(found.digests.get(name) == wanted.digests.get(name) for name in ("suite", "candidate", *asked))
    return same and found.partial == wanted.partial and run_id in (None, found.run_id)


def _manifest(loaded: LoadedSuite, candidate: Candidate, binding: Binding, settings: RunSettings) -> RunManifest:
    now, shard = datetime.now(UTC), settings.filter.shard
    # Shards begin in the same second, and their folders are put side by side: each is named for its part.
    name = f"{loaded.suite.name}-{candidate.name}" + (f"-{shard.part}of{shard.parts}" if shard else "")
    return RunManifest(
        schema="evalkit.run/1",
        run_id=settings.run_id or new_run_id(name, now),
        status="running",
        suite=loaded.suite,
        candidate=candidate,
        system=system_of(candidate),
        judges=_recorded_judges(binding),
        digests=_digests(loaded, candidate, binding),
        seeds={task.name: task.sampling.seed for task in loaded.suite.tasks if task.sampling.seed is not None},
        versions=package_versions(),
        hardware=hardware(),
        git_commit=git_commit(Path.cwd()),
        started_at=now,
        partial=settings.filter.described(),
        command=settings.command,
    )


def _changed_judges(manifest: RunManifest, binding: Binding) -> list[str]:
    """The judges that are not bound yet as they are now. One that is may know more of its model than it does here."""
    bound = {name: (judge.spec, judge.candidate) for name, judge in manifest.judges.items()}
    return [name for name, asked in binding.asked.items() if bound.get(name) != (asked.loaded.spec, asked.candidate)]


def _recorded_judges(binding: Binding) -> dict[str, BoundJudge]:
    return {name: BoundJudge(spec=judge.spec, digest=judge.digest) for name, judge in binding.recorded.items()}


def _digests(loaded: LoadedSuite, candidate: Candidate, binding: Binding) -> dict[str, str]:
    digests = {"suite": loaded.suite.digest, "candidate": digest_of(candidate.model_dump(mode="json"))}
    digests |= {f"data:{task}": digest for task, digest in loaded.data_digests.items()}
    digests |= {f"judge:{name}": judge.digest for name, judge in binding.recorded.items()}
    for task, scorers in binding.scorers.items():
        digests |= {f"scorer:{task}/{scorer.name}": scorer.digest for scorer in scorers}
    return digests


def _set_status(directory: RunDirectory, status: Status) -> None:
    ended_at = None if status == "running" else datetime.now(UTC)
    directory.update_manifest(directory.manifest.model_copy(update={"status": status, "ended_at": ended_at}))


def check_complete(manifest: RunManifest) -> None:
    """Raise RunInvalid where too much is missing through the system's fault: answers, or verdicts on them."""
    counts = manifest.counts
    asked = counts["requests"]
    if counts.get("failed_system", 0) > MAX_SYSTEM_FAILURES * asked:
        _incomplete(manifest, f"{counts['failed_system']} of {asked} requests have no answer", "system:")
    scores = counts.get("scores", 0)
    if counts.get("unjudged", 0) > MAX_SYSTEM_FAILURES * scores:
        _incomplete(manifest, f"{counts['unjudged']} of {scores} scores have no verdict", "unjudged:")


def _incomplete(manifest: RunManifest, what: str, kinds: str) -> None:
    counted = [
        f"{name.removeprefix(kinds)} {count}"
        for name, count in sorted(manifest.counts.items())
        if name.startswith(kinds)
    ]
    raise RunInvalid(
        f"run {manifest.run_id}: {what} through the system's fault ({', '.join(counted)}). What was answered is kept; "
        f"ask the rest again with: {resuming(manifest)}"
    )
