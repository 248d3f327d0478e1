"""The passes over run directories: plan, ask, judge, score, summarize. Each can be killed and begun again."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.content.suites import LoadedSuite
from evalkit.core.errors import InputError
from evalkit.core.manifest import Status
from evalkit.engines.base import Engine, model_identity
from evalkit.runner.cached import measured_tasks
from evalkit.runner.flight import together
from evalkit.runner.generate import GenerationPass
from evalkit.runner.judging import BesideJudging, JudgesBeside, judge
from evalkit.runner.plan import Filter, planned_rows
from evalkit.runner.progress import Tally
from evalkit.runner.requests import RequestMaker
from evalkit.runner.summarize import summarize, summary_document
from evalkit.runner.table import read_run
from evalkit.runner.under_way import Conduct, Run, tallied
from evalkit.store.disk import write_document
from evalkit.store.index import index_finished
from evalkit.store.records import BlockWriter
from evalkit.store.rundir import RunDirectory


def plan(directory: RunDirectory, loaded: LoadedSuite, chosen: Filter, data_folders: tuple[Path, ...]) -> None:
    """Write samples and requests, all or nothing: until their counts stand in the manifest, they are planned afresh.

    Raises InputError for data that cannot be read, before anything is asked.
    """
    if "requests" in directory.manifest.counts:
        return
    directory.samples.unlink(missing_ok=True)
    directory.requests.unlink(missing_ok=True)
    candidate = directory.manifest.candidate
    makers = {task.name: RequestMaker(task, candidate) for task in loaded.suite.tasks}
    counts = Counter(samples=0, requests=0)
    with BlockWriter(directory.samples) as samples, BlockWriter(directory.requests) as requests:
        for task, row in planned_rows(loaded, chosen, data_folders):
            samples.append(row)
            counts["samples"] += 1
            for request in makers[task.name].requests_of(row.sample):
                requests.append(request)
                counts["requests"] += 1
                counts[f"requests:{task.name}"] += 1
    manifest = directory.manifest
    directory.write_manifest(manifest.model_copy(update={"counts": {**manifest.counts, **counts}}))


async def ask_and_judge(runs: Sequence[Run], conduct: Conduct, beside: Mapping[str, BesideJudging]) -> None:
    """Ask every candidate, then every judge that could not answer meanwhile; or until a limit is reached.

    A judge answers beside the candidates unless both are models in this process: those may need the same device, and
    are there one at a time.
    """
    meter = conduct.meter
    try:
        async with asyncio.timeout(meter.left_s) as clock, AsyncExitStack() as held:
            judges = JudgesBeside(runs, beside.keys(), conduct, held)
            for run in runs:
                if not meter.stopped:
                    await ask(run, conduct, judges)
            if not meter.stopped:
                await judge(runs, conduct, beside, judges.done)
    except TimeoutError:
        if not clock.expired():
            raise
        meter.time_is_up()


async def ask(run: Run, conduct: Conduct, judges: JudgesBeside) -> None:
    """Ask the candidate what has no answer yet, and score it; its engine is not even started when nothing is left."""
    directory, engine = run.directory, run.engine
    assert engine is not None, "a run that is asked has an engine"
    finished = index_finished(directory.responses)
    total = directory.manifest.counts["requests"]
    if len(finished):
        _check_same_model(directory, engine)
    if len(finished) >= total:
        await score_answers(run, conduct)
        return
    candidate = directory.manifest.candidate
    measured = measured_tasks(run.loaded.suite, candidate)
    async with conduct.started(engine, candidate, measured) as asked:
        manifest = directory.manifest
        update = {
            "digests": {**manifest.digests, "model": model_identity(engine, candidate)},
            "versions": {**manifest.versions, f"engine:{engine.name}": engine.version},
            "served": engine.served,
        }
        directory.write_manifest(manifest.model_copy(update=update))
        tally = Tally(f"answers: {candidate.name}", total, before=len(finished), price=candidate.price)
        answering = GenerationPass(directory, run.binding.scorers, asked, finished, tally, conduct.meter)
        with ExitStack() as held:
            held.enter_context(tallied(conduct.progress, tally))
            held.enter_context(answering)
            hands, judging = await judges.begin(run, held)
            await together(answering.run(hands), *judging)


async def score_answers(run: Run, conduct: Conduct) -> None:
    """Give every answer on file the scores that need no model and that it has not yet."""
    directory, scorers = run.directory, run.binding.scorers
    tally = Tally("scores", directory.manifest.counts["requests"])
    finished = index_finished(directory.responses)
    scoring = GenerationPass(directory, scorers, None, finished, tally, conduct.meter)
    with tallied(conduct.progress, tally), scoring:
        await scoring.run()


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


def finish(directory: RunDirectory, status: Status = "complete") -> None:
    """Count and summarize what a run holds, and write its status."""
    now = datetime.now(UTC)
    spent_s = (now - directory.manifest.started_at).total_seconds()
    # A clock that was put back says nothing about how long it took.
    conclude(directory, {"status": status, "ended_at": now, "wall_s": spent_s if spent_s >= 0 else None})


def conclude(directory: RunDirectory, update: Mapping[str, Any]) -> None:
    """Count and summarize what a run holds, and write that down in one go with what else is known now."""
    found = read_run(directory)
    # Of what was counted before, only what was planned still holds: a failure that was asked again may be gone.
    planned = {
        name: n for name, n in directory.manifest.counts.items() if name.partition(":")[0] in ("samples", "requests")
    }
    counts = {**planned, **update.get("counts", {}), **found.counts}
    manifest = directory.manifest.model_copy(update={**update, "counts": counts, "files": directory.file_digests()})
    write_document(directory.summary, summary_document(manifest.run_id, summarize(found.tables)))
    directory.write_manifest(manifest)
    directory.log("scored", status=manifest.status, counts=manifest.counts)
