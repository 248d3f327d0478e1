"""The passes of one run directory, in order: plan, ask, judge, score, summarize. Each can be killed and begun again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from evalkit.content.suites import LoadedSuite
from evalkit.core.judge import asked_judge_digest
from evalkit.core.manifest import BoundJudge, Status
from evalkit.engines.base import Engine, model_identity
from evalkit.runner.bind import AskedJudge, Binding, open_engine
from evalkit.runner.counts import count_run
from evalkit.runner.generate import generate, pending_requests
from evalkit.runner.judge import JudgingPass
from evalkit.runner.plan import Filter, PlannedSample, planned_samples, requests_of
from evalkit.runner.progress import Progress
from evalkit.runner.score import score_responses
from evalkit.runner.summarize import summarize, summary_document
from evalkit.runner.table import read_tables
from evalkit.scorers.judge import Judge
from evalkit.store.disk import write_document
from evalkit.store.records import RecordWriter
from evalkit.store.rundir import RunDirectory


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
        for task, sample in planned_samples(loaded, chosen, data_folders):
            samples.append(PlannedSample(task=task.name, sample=sample))
            n_samples += 1
            for request in requests_of(task, sample, directory.manifest.candidate):
                requests.append(request)
                n_requests += 1
    _update_counts(directory, {"samples": n_samples, "requests": n_requests})


async def ask(directory: RunDirectory, engine: Engine, progress: Progress) -> None:
    """Ask the candidate what has no answer yet; its engine is not even started when nothing is left."""
    pending = pending_requests(directory)
    if pending.done >= pending.total:
        return
    async with started(engine):
        manifest = directory.manifest
        update = {
            "digests": {**manifest.digests, "model": model_identity(engine, manifest.candidate)},
            "versions": {**manifest.versions, f"engine:{engine.name}": engine.version},
            "served": engine.served,
        }
        directory.write_manifest(manifest.model_copy(update=update))
        await generate(engine, pending, directory.responses, progress)


async def judge(
    directory: RunDirectory, loaded: LoadedSuite, binding: Binding, data_folders: tuple[Path, ...], progress: Progress
) -> None:
    """Ask every judge that asks a model, one after the other."""
    for name, asked in binding.asked.items():
        await _judge_by(directory, loaded, name, asked, data_folders, progress)


def score(directory: RunDirectory, binding: Binding, progress: Progress, status: Status = "complete") -> None:
    """Score by rules, recorded verdicts and labels; then count and summarize. status: of the run after it."""
    score_responses(directory, binding.scorers, directory.manifest.counts["requests"], progress)
    _update_counts(directory, count_run(directory))
    manifest, now = directory.manifest, datetime.now(UTC)
    wall_s = (now - manifest.started_at).total_seconds()
    directory.write_manifest(manifest.model_copy(update={"status": status, "ended_at": now, "wall_s": wall_s}))
    write_document(directory.summary, summary_document(manifest.run_id, summarize(read_tables(directory))))
    directory.log("scored", status=status, counts=directory.manifest.counts)


async def _judge_by(
    directory: RunDirectory,
    loaded: LoadedSuite,
    name: str,
    asked: AskedJudge,
    data_folders: tuple[Path, ...],
    progress: Progress,
) -> None:
    tasks = frozenset(task.name for task in loaded.suite.tasks if any(spec.judge == name for spec in task.scorers))
    async with started(open_engine(asked.candidate, data_folders)) as engine:
        digest = asked_judge_digest(asked.loaded.spec, model_identity(engine, asked.candidate))
        bound = BoundJudge(spec=asked.loaded.spec, candidate=asked.candidate, digest=digest)
        manifest = directory.manifest
        update = {"judges": {**manifest.judges, name: bound}, "digests": {**manifest.digests, f"judge:{name}": digest}}
        directory.write_manifest(manifest.model_copy(update=update))
        await JudgingPass(Judge(asked.loaded.spec, name, digest), engine, directory, progress).run(tasks)


@asynccontextmanager
async def started(engine: Engine) -> AsyncIterator[Engine]:
    """The engine, up for the length of a pass and fully gone after it: the next may need the same device."""
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


def _update_counts(directory: RunDirectory, counts: dict[str, int]) -> None:
    manifest = directory.manifest
    directory.write_manifest(manifest.model_copy(update={"counts": {**manifest.counts, **counts}}))
