"""Write what a run is still to ask as batch files, for somebody else to send: the candidate's requests, or a judge's.

a run, planned and not asked -> requests.jsonl -> (a batch, or vllm run-batch) -> results.jsonl -> batch_import.py
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evalkit.core.errors import InputError
from evalkit.core.request import Request
from evalkit.engines.base import Engine, model_identity
from evalkit.engines.batch_form import BatchForm, batch_form
from evalkit.runner.batch_files import MOST_BYTES, MOST_LINES, BatchFiles, check_free
from evalkit.runner.batch_ids import custom_id, run_mark
from evalkit.runner.batch_judge import bound_judge, standings
from evalkit.runner.plan import check_plan
from evalkit.runner.progress import Progress, Silent
from evalkit.runner.run import PreparedRun, planned
from evalkit.store.index import index_finished
from evalkit.store.keys import key_digest
from evalkit.store.records import read_records
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class BatchLimits:
    """How much one file may hold."""

    lines: int = MOST_LINES
    bytes: int = MOST_BYTES


@dataclass(frozen=True)
class Exported:
    """What was written."""

    directory: RunDirectory
    engine: str
    """Of whoever is to answer, the run's candidate or a judge's."""
    model: str
    files: tuple[Path, ...]
    """None when nothing is left to ask."""
    requests: int
    left_out: tuple[str, ...]
    """What the candidate says and the files do not."""


def export_new(
    prepared: PreparedRun, out: Path, progress: Progress | None = None, limits: BatchLimits | None = None
) -> Exported:
    """Plan a run (or, resumed, go on with one), ask nothing, and write the requests without an answer.

    Raises InputError for a candidate whose engine has no batch files, before anything is made.
    """
    progress = progress or Silent()
    form = batch_form(prepared.manifest.candidate)
    check_free(out)
    with planned(prepared, progress) as run:
        _know_the_model(run.directory, prepared.engine, progress)
        return _written(run.directory, form, _pending(run.directory), out, limits)


def export_again(
    directory: RunDirectory,
    out: Path,
    judge: str | None = None,
    progress: Progress | None = None,
    limits: BatchLimits | None = None,
) -> Exported:
    """Write what a planned run is still to ask: its candidate, or one of its judges about the answers there are.

    Raises InputError for a judge that the run has not, and for an engine that has no batch files.
    """
    progress = progress or Silent()
    check_plan(directory)
    with directory.lock():
        for name, size in directory.mend().items():
            progress.say(f"{name}: a torn last line of {size} bytes was cut; what it held is done again")
        if judge is None:
            form = batch_form(directory.manifest.candidate)
            return _written(directory, form, _pending(directory), out, limits)
        acting, bound = bound_judge(directory, judge)
        assert bound.candidate is not None, "a judge that is asked has a model"
        pending = (request for standing in standings(directory, acting) for request in standing.pending)
        return _written(directory, batch_form(bound.candidate), pending, out, limits)


def _written(
    directory: RunDirectory, form: BatchForm, pending: Iterable[Request], out: Path, limits: BatchLimits | None
) -> Exported:
    mark = run_mark(directory.manifest)
    most = limits or BatchLimits()
    with BatchFiles(out, most.lines, most.bytes) as files:
        for request in pending:
            files.append(form.line(request, custom_id(mark, request)))
    directory.log("exported", files=[str(path) for path in files.written], requests=files.lines)
    return Exported(directory, form.candidate.engine, form.model, files.written, files.lines, form.left_out)


def _pending(directory: RunDirectory) -> Iterator[Request]:
    """The candidate's requests without an answer, in the order of the plan."""
    finished = index_finished(directory.responses)
    for _, request in read_records(directory.requests, Request):
        if key_digest(request.key, None, request.digest) not in finished:
            yield request


def _know_the_model(directory: RunDirectory, engine: Engine, progress: Progress) -> None:
    """Write down who is to answer, as a run does when its engine starts; known answers stay whose they are."""
    manifest = directory.manifest
    if "model" in manifest.digests:
        return
    try:
        identity = model_identity(engine, manifest.candidate)
    except InputError as error:
        progress.say(f"the model that will answer is not here, and not known by its weights: {error}")
        return
    update = {
        "digests": {**manifest.digests, "model": identity},
        "versions": {**manifest.versions, f"engine:{engine.name}": engine.version},
        "served": engine.served,
    }
    directory.write_manifest(manifest.model_copy(update=update))
