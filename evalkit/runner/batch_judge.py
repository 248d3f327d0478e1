"""A judge whose verdicts come from batch files: what it is still to be asked, and the scores of what it answered.

The order of asking is that of judge.py: a verdict that cannot be read is asked for again, at most `max_asks` times.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from evalkit.core.errors import unknown_name
from evalkit.core.manifest import BoundJudge
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.core.score import Score
from evalkit.runner.answers import Answer, iter_answers
from evalkit.scorers.judge import Judge
from evalkit.store.index import index_responses, index_scores
from evalkit.store.keys import key_digest, score_key_digest
from evalkit.store.records import RecordReader, RecordWriter, read_at
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class Standing:
    """How far a judge is with one answer."""

    answer: Answer
    asked: tuple[tuple[Request, Response], ...]
    """Requests with their verdicts."""
    pending: tuple[Request, ...]
    """Requests that can be asked now; () = the judge is done with this answer."""


def bound_judge(directory: RunDirectory, name: str) -> tuple[Judge, BoundJudge]:
    """A judge of a run as it was bound to its model. Raises InputError for one that asks no model or is not there."""
    asked = {judge: bound for judge, bound in directory.manifest.judges.items() if bound.candidate is not None}
    if name not in asked:
        raise unknown_name(f"run {directory.path}: judge", name, asked, hint="It asks a model for these alone.")
    return Judge(asked[name].spec, name, asked[name].digest), asked[name]


def judge_names(directory: RunDirectory) -> tuple[str, ...]:
    """The judges of a run that ask a model."""
    return tuple(name for name, bound in directory.manifest.judges.items() if bound.candidate is not None)


def standings(directory: RunDirectory, judge: Judge) -> Iterator[Standing]:
    """Where the judge stands with every answer of its tasks, in the order asked; streaming.

    Of an answer that failed, or that is missing, nothing is asked.
    """
    files = directory.judging(judge.name, judge.digest)
    known = index_responses(files.responses)
    with ExitStack() as stack:
        reader = stack.enter_context(RecordReader(files.responses, Response)) if len(known) else None

        def verdict_on(request: Request) -> Response | None:
            offset = known.offset(key_digest(request.key, request.judge_key))
            if reader is None or offset is None:
                return None
            verdict = reader.at(offset)
            is_current = verdict.request_digest == request.digest
            return verdict if is_current and not is_system_failure(verdict) else None

        for answer in iter_answers(directory, _tasks_of(directory, judge)):
            yield _standing(judge, answer, directory.manifest.run_id, verdict_on)


def _standing(judge: Judge, answer: Answer, run_id: str, verdict_on: Callable[[Request], Response | None]) -> Standing:
    asked: list[tuple[Request, Response]] = []
    pending: list[Request] = []
    # Votes with a verdict that can be read, or that wait for one.
    settled: set[tuple[tuple[str, ...], int]] = set()
    for retry in range(judge.spec.max_asks):
        for request in judge.ask(answer.sample, (answer.response,), run=run_id, retry=retry):
            assert request.judge_key is not None, "a judge's request has a judge's key"
            vote = request.judge_key.criteria, request.judge_key.vote
            if vote in settled:
                continue
            verdict = verdict_on(request)
            if verdict is None:
                pending.append(request)
            else:
                asked.append((request, verdict))
            if verdict is None or judge.is_readable(verdict):
                settled.add(vote)
    return Standing(answer, tuple(asked), tuple(pending))


def score_settled(directory: RunDirectory, judge: Judge, *, answered_only: bool) -> int:
    """Append the scores of every answer that the judge is done with; how many requests are left to ask of it now.

    answered_only: leave out what has no answer yet through the system's fault, of a run that is still to get some.
    """
    held = index_scores(directory.scores)
    left = 0
    with RecordWriter(directory.scores) as scores:
        for standing in standings(directory, judge):
            left += len(standing.pending)
            is_due = not (answered_only and is_system_failure(standing.answer.response))
            if is_due and not standing.pending:
                answer, verdicts = standing.answer, [verdict for _, verdict in standing.asked]
                for score in judge.read(answer.sample, (answer.response,), verdicts):
                    about = score_key_digest(score.key, score.scorer, score.scorer_digest, score.response_digests)
                    offset = held.offset(about)
                    if offset is None or read_at(directory.scores, offset, Score) != score:
                        scores.append(score)
    return left


def is_system_failure(response: Response) -> bool:
    """Whether a response is no answer, through nobody's fault but the system's."""
    return response.failure is not None and response.failure.blame == "system"


def _tasks_of(directory: RunDirectory, judge: Judge) -> frozenset[str]:
    tasks = directory.manifest.suite.tasks
    return frozenset(task.name for task in tasks if any(spec.judge == judge.name for spec in task.scorers))
