"""Walk a run's answers in the order of its samples, one at a time: the sample, and the last response to each
attempt.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from evalkit.core.errors import InputError, Place
from evalkit.core.failure import Failure
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.runner.plan import PlannedSample
from evalkit.store.index import index_responses
from evalkit.store.keys import key_digest
from evalkit.store.records import RecordReader, read_records
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class Answer:
    """One response with the sample it answers."""

    task: str
    sample: Sample
    response: Response


def iter_answers(directory: RunDirectory, tasks: frozenset[str] | None = None) -> Iterator[Answer]:
    """Every (sample, response) of the run, in the order asked; `tasks` None = all.

    requests.jsonl holds each sample's attempts in the samples' own order, so both files are read side by side.
    """
    index = index_responses(directory.responses)
    planned = read_records(directory.samples, PlannedSample)
    current: PlannedSample | None = None
    with ExitStack() as stack:
        reader = stack.enter_context(RecordReader(directory.responses, Response)) if len(index) else None
        for _, request in read_records(directory.requests, Request):
            while current is None or (current.task, current.sample.id) != (request.key.task, request.key.sample_id):
                _, current = next(planned, (0, None))
                if current is None:
                    name = f'sample "{request.key.sample_id}" of task {request.key.task}'
                    raise InputError(
                        f"asks for {name}, which is not in samples.jsonl: restore it", Place(directory.requests)
                    )
            if tasks is None or current.task in tasks:
                offset = index.offset(key_digest(request.key))
                response = reader.at(offset) if reader is not None and offset is not None else not_answered(request)
                yield Answer(current.task, current.sample, response)


def not_answered(request: Request) -> Response:
    """Stands for an answer that is not there: the system's failure."""
    nothing = Failure(
        blame="system", stage="generate", kind="not_answered", message="the run ended before this was asked"
    )
    return Response(request_digest=request.digest, key=request.key, failure=nothing)
