"""The passes over run directories: plan, ask, judge, score, summarize. Each can be killed and begun again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.content.suites import LoadedSuite
from evalkit.core.errors import InputError
from evalkit.core.judge import asked_judge_digest
from evalkit.core.manifest import BoundJudge, Status
from evalkit.engines.base import Engine, model_identity
from evalkit.runner.bind import AskedJudge, Binding, open_engine
from evalkit.runner.counts import count_run
from evalkit.runner.generate import generate, pending_requests
from evalkit.runner.judge import JudgingPass, is_unscored
from evalkit.runner.plan import Filter, planned_rows, requests_of
from evalkit.runner.progress import Progress
from evalkit.runner.score import score_responses
from evalkit.runner.summarize import summarize, summary_document
from evalkit.runner.table import read_tables
from evalkit.scorers.judge import Judge
from evalkit.store.disk import write_document
from evalkit.store.records import RecordWriter
from evalkit.store.rundir import RunDirectory

BesideJudging = Callable[[Engine, str], Awaitable[None]]
"""What else a judge is asked while its engine is there; takes the engine, started, and the judge's digest."""


@dataclass(frozen=True)
class Run:
    """A run directory under its lock, with everything that acts on it."""

    directory: RunDirectory
    loaded: LoadedSuite
    binding: Binding
    engine: Engine | None
    """The candidate's; None where nothing is asked of it."""
    data_folders: tuple[Path, ...]

    def tasks_of(self, judge: str) -> frozenset[str]:
        """The tasks that a judge scores."""
        tasks = self.loaded.suite.tasks
        return frozenset(task.name for task in tasks if any(spec.judge == judge for spec in task.scorers))


def plan(directory: RunDirectory, loaded: LoadedSuite, chosen: Filter, data_folders: tuple[Path, ...]) -> None:
    """Write samples and requests, all or nothing: until their counts stand in the manifest, they are planned afresh.

    Raises InputError for data that cannot be read, before anything is asked.
    """
    if "requests" in directory.manifest.counts:
        return
    directory.samples.unlink(missing_ok=True)
    directory.requests.unlink(missing_ok=True)
    n_samples = n_requests = 0
    with RecordWriter(directory.samples) as samples, RecordWriter(directory.requests) as requests:
        for task, row in planned_rows(loaded, chosen, data_folders):
            samples.append(row)
            n_samples += 1
            for request in requests_of(task, row.sample, directory.manifest.candidate):
                requests.append(request)
                n_requests += 1
    _update_counts(directory, {"samples": n_samples, "requests": n_requests})


async def ask_and_judge(runs: Sequence[Run], progress: Progress, beside: Mapping[str, BesideJudging]) -> None:
    """Ask every candidate, then every judge. One model is there at a time: the next may need the same device."""
    for run in runs:
        await ask(run, progress)
    await judge(runs, progress, beside)


async def ask(run: Run, progress: Progress) -> None:
    """Ask the candidate what has no answer yet; its engine is not even started when nothing is left."""
    directory, engine = run.directory, run.engine
    assert engine is not None, "a run that is asked has an engine"
    pending = pending_requests(directory)
    if pending.done:
        _check_same_model(directory, engine)
    if pending.done >= pending.total:
        return
    async with started(engine, progress):
        manifest = directory.manifest
        update = {
            "digests": {**manifest.digests, "model": model_identity(engine, manifest.candidate)},
            "versions": {**manifest.versions, f"engine:{engine.name}": engine.version},
            "served": engine.served,
        }
        directory.write_manifest(manifest.model_copy(update=update))
        await generate(engine, pending, directory, progress)


def _check_same_model(directory: RunDirectory, engine: Engine) -> None:
    """Raise InputError when a run's answers are another model's than the one that would go on now."""
    manifest = directory.manifest
    known = manifest.digests.get("model")
    if known is not None and "weights" in engine.served and known != model_identity(engine, manifest.candidate):
        changed = [name for name, digest in engine.served.items() if manifest.served.get(name) != digest]
        what = ", ".join(changed) or f"{engine.name} {engine.version}, or how it is started"
        raise InputError(
            f'run {manifest.run_id} holds answers of another model than "{manifest.candidate.model}" is now ({what} '
            "changed since): put the old one back to go on, or begin a new run without --resume"
        )


async def judge(runs: Sequence[Run], progress: Progress, beside: Mapping[str, BesideJudging] | None = None) -> None:
    """Ask every judge that asks a model, one after the other, each about all runs."""
    for name in dict.fromkeys(name for run in runs for name in run.binding.asked):
        await _judge_by(name, [run for run in runs if name in run.binding.asked], progress, (beside or {}).get(name))


def bind_judges(run: Run, names: Collection[str]) -> None:
    """Write down which judges score a run, before they are asked. Raises InputError for a judge whose model is not
    there.
    """
    for name in names:
        asked = run.binding.asked[name]
        engine = open_engine(asked.candidate, (asked.loaded.folder, *run.data_folders))
        _bind(run.directory, asked, _judge(name, asked, engine))


def score(directory: RunDirectory, binding: Binding, progress: Progress, status: Status = "complete") -> None:
    """Score by rules, recorded verdicts and labels; then count and summarize. status: of the run after it."""
    score_responses(directory, binding.scorers, directory.manifest.counts["requests"], progress)
    now = datetime.now(UTC)
    wall_s = (now - directory.manifest.started_at).total_seconds()
    conclude(directory, {"status": status, "ended_at": now, "wall_s": wall_s})


def conclude(directory: RunDirectory, update: Mapping[str, Any]) -> None:
    """Count what a run holds, write the counts down in one go with what else is known now, and summarize."""
    counts = {**directory.manifest.counts, **update.get("counts", {}), **count_run(directory)}
    manifest = directory.manifest.model_copy(update={**update, "counts": counts})
    directory.write_manifest(manifest)
    write_document(directory.summary, summary_document(manifest.run_id, summarize(read_tables(directory))))
    directory.log("scored", status=manifest.status, counts=manifest.counts)


async def _judge_by(name: str, runs: Sequence[Run], progress: Progress, beside: BesideJudging | None) -> None:
    """One judge over runs that bind the same model to it. Its engine is not started when it has scored everything."""
    asked = runs[0].binding.asked[name]
    engine = open_engine(asked.candidate, (asked.loaded.folder, *runs[0].data_folders))
    judge = _judge(name, asked, engine)
    if beside is None and not any(is_unscored(run.directory, judge, run.tasks_of(name)) for run in runs):
        for run in runs:
            _bind(run.directory, asked, judge)
        return
    async with started(engine, progress):
        judge = _judge(name, asked, engine)  # a server, or a hub, says what it serves when it is there
        if beside is not None:
            await beside(engine, judge.digest)
        for run in runs:
            _bind(run.directory, asked, judge)
            await JudgingPass(judge, engine, run.directory, progress).run(run.tasks_of(name))


def _judge(name: str, asked: AskedJudge, engine: Engine) -> Judge:
    digest = asked_judge_digest(asked.loaded.spec, model_identity(engine, asked.candidate))
    return Judge(asked.loaded.spec, name, digest)


def _bind(directory: RunDirectory, asked: AskedJudge, judge: Judge) -> None:
    """Write down which judge scores this run."""
    bound = BoundJudge(spec=judge.spec, candidate=asked.candidate, digest=judge.digest)
    manifest = directory.manifest
    update = {
        "judges": {**manifest.judges, judge.name: bound},
        "digests": {**manifest.digests, f"judge:{judge.name}": judge.digest},
    }
    directory.write_manifest(manifest.model_copy(update=update))


@asynccontextmanager
async def started(engine: Engine, progress: Progress) -> AsyncIterator[Engine]:
    """The engine, up for the length of a pass and fully gone after it: the next may need the same device."""
    try:
        if engine.loading:
            progress.say(engine.loading)
        await engine.start()
        for warning in engine.warnings:
            progress.say(f"warning: {warning}")
        yield engine
    finally:
        await engine.close()


def _update_counts(directory: RunDirectory, counts: dict[str, int]) -> None:
    manifest = directory.manifest
    directory.write_manifest(manifest.model_copy(update={"counts": {**manifest.counts, **counts}}))
