"""Walk what a run asks in the order of its plan, and what was answered."""

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

NOT_ANSWERED = "not_answered"


@dataclass(frozen=True, slots=True)
class Question:
    """One request with the sample it asks."""

    task: str
    sample: Sample
    request: Request


@dataclass(frozen=True, slots=True)
class Answer:
    """One response with the sample it answers."""

    task: str
    sample: Sample
    response: Response


def iter_questions(directory: RunDirectory) -> Iterator[Question]:
    """Every request of the run with its sample, in the order of the plan.

    requests.jsonl holds each sample's attempts in the samples' own order, so both files are read side by side.
    """
    planned = read_records(directory.samples, PlannedSample)
    current: PlannedSample | None = None
    for _, request in read_records(directory.requests, Request):
        key = request.key
        while current is None or current.sample.id != key.sample_id or current.task != key.task:
            _, current = next(planned, (0, None))
            if current is None:
                name = f'sample "{key.sample_id}" of task {key.task}'
                raise InputError(
                    f"asks for {name}, which is not in samples.jsonl: restore it", Place(directory.requests)
                )
        yield Question(current.task, current.sample, request)


def iter_answers(directory: RunDirectory, tasks: frozenset[str] | None = None) -> Iterator[Answer]:
    """Every sample with the last response to each of its requests, in the order asked; `tasks` None = all."""
    index = index_responses(directory.responses)
    with ExitStack() as stack:
        reader = stack.enter_context(RecordReader(directory.responses, Response)) if len(index) else None
        for question in iter_questions(directory):
            if tasks is None or question.task in tasks:
                offset = index.offset(key_digest(question.request.key))
                found = reader.at(offset) if reader is not None and offset is not None else None
                yield Answer(question.task, question.sample, found or not_answered(question.request))


def is_answered(response: Response) -> bool:
    """Whether a response is one, if only a failure; what stands for none is not scored, and so counts as missing."""
    return response.failure is None or response.failure.kind != NOT_ANSWERED


def not_answered(request: Request) -> Response:
    """Stands for an answer that is not there: the system's failure."""
    nothing = Failure(
        blame="system", stage="generate", kind=NOT_ANSWERED, message="the run ended before this was asked"
    )
    return Response(request_digest=request.digest, key=request.key, failure=nothing)
