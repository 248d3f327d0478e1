"""The judging pass of one judge that asks a model: the same asking as generation, its own files, scores at the end.

    samples.jsonl + responses.jsonl -> judging/<judge>/requests.jsonl, responses.jsonl -> scores.jsonl

A verdict that cannot be read is asked for again, at most `max_asks` times; then its absence is the judge's failure.
"""

import asyncio
from typing import Any, Self

from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.engines.base import Engine
from evalkit.runner.answers import Answer, is_answered, iter_answers
from evalkit.runner.flight import keep_in_flight, together
from evalkit.runner.group import Group
from evalkit.runner.meter import LimitReached
from evalkit.runner.progress import Tally
from evalkit.scorers.judge import Judge
from evalkit.store.index import DigestIndex, index_responses, index_scores
from evalkit.store.keys import key_digest, score_key_digest
from evalkit.store.records import BlockWriter, RecordWriter, read_at
from evalkit.store.rundir import JudgingFiles, RunDirectory


class Asker:
    """Asks one judge about one response, as often as its spec allows, and remembers what was asked before."""

    def __init__(self, judge: Judge, engine: Engine, files: JudgingFiles, run_id: str, tally: Tally):
        """The engine is started, and stays so. `files` belong to whoever holds the lock of their folder."""
        self._judge = judge
        self._n_votes = len(judge.spec.criteria) * judge.spec.votes
        self._engine = engine
        self._run_id = run_id
        self._tally = tally
        self._responses_path = files.responses
        known = index_responses(files.responses)
        self._known = known if len(known) else None
        self._requests = RecordWriter(files.requests)
        self._responses = RecordWriter(files.responses)
        self._answered = Group(self._keep, engine.concurrency, wait=not engine.in_process)

    def close(self) -> None:
        """Write what is left, and close the files."""
        self._answered.flush()
        self._requests.close()
        self._responses.close()

    async def scores_of(self, sample: Sample, response: Response) -> tuple[Score, ...]:
        """One score per criterion: the verdict, or whose failure it is that there is none."""
        if response.failure is not None:
            return self._judge.failed(response, response.failure)
        verdicts: list[Response] = []
        settled: set[tuple[tuple[str, ...], int]] = set()
        for retry in range(self._judge.spec.max_asks):
            for request in self._judge.ask(sample, (response,), run=self._run_id, retry=retry):
                if _vote_of(request) not in settled:
                    verdict = await self._verdict(request)
                    verdicts.append(verdict)
                    if self._judge.is_readable(verdict) or _is_system_failure(verdict):
                        settled.add(_vote_of(request))
            if len(settled) == self._n_votes:
                break
        return self._judge.read(sample, (response,), verdicts)

    def _keep(self, answered: list[tuple[Request, Response]]) -> None:
        self._requests.append_all(_as_asked(request) for request, _ in answered)
        self._responses.append_all(response for _, response in answered)
        for _, response in answered:
            self._tally.use(response)

    async def _verdict(self, request: Request) -> Response:
        """The recorded verdict for this very request, or a new one."""
        offset = None if self._known is None else self._known.offset(key_digest(request.key, request.judge_key))
        if offset is not None:
            known = read_at(self._responses_path, offset, Response)
            if known.request_digest == request.digest and not _is_system_failure(known):
                return known
        response = await self._engine.respond(request)
        await self._answered.add((request, response))
        return response


class JudgingPass:
    """One judge over one run's answers. A context manager: it holds files."""

    def __init__(self, judge: Judge, engine: Engine, directory: RunDirectory, tasks: frozenset[str], tally: Tally):
        """The engine is started, and stays so while the pass runs. tasks: those that the judge scores."""
        self._judge = judge
        self._tasks = tasks
        self._tally = tally
        self._directory = directory
        self._concurrency = engine.concurrency
        files = directory.judging(judge.name, judge.digest)
        self._asker = Asker(judge, engine, files, directory.manifest.run_id, tally)
        scored = index_scores(directory.scores)
        self._scored = scored if len(scored) else None
        self._scores = BlockWriter(directory.scores)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._asker.close()
        self._scores.close()

    async def run(self) -> None:
        """Judge every answer on file that this judge has not scored yet."""
        answers = iter_answers(self._directory, self._tasks)
        await keep_in_flight(answers, self._judge_one, self._concurrency)

    async def run_beside(self, answers: "JudgeBeside") -> None:
        """Judge every answer that comes, until there are no more."""
        await together(*(self._judge_all(answers) for _ in range(self._concurrency)))

    async def _judge_all(self, answers: "JudgeBeside") -> None:
        while (answer := await answers.next()) is not None:
            await self._judge_one(answer)

    async def _judge_one(self, answer: Answer) -> None:
        if not is_answered(answer.response) or _has_scored(self._judge, answer.response, self._scored):
            self._tally.done += 1
            return
        try:
            found = await self._asker.scores_of(answer.sample, answer.response)
        except LimitReached:  # its verdicts so far are on file; the rest is asked by the command that goes on
            return
        for score in found:
            self._scores.append(score)
        self._tally.done += 1
        self._tally.failed += any(score.failure is not None for score in found)


class JudgeBeside:
    """Hands answers to a judge while others are still asked for. It holds few, so that memory stays flat: a judge that
    is slower than the candidate makes it wait.
    """

    def __init__(self, tasks: frozenset[str], concurrency: int):
        """tasks: those that the judge scores."""
        self._tasks = tasks
        self._concurrency = concurrency
        self._queue: asyncio.Queue[Answer | None] = asyncio.Queue(maxsize=2 * concurrency)

    async def take(self, task: str, sample: Sample, response: Response) -> None:
        """One more answer, when it is of the judge's tasks."""
        if task in self._tasks:
            await self._queue.put(Answer(task, sample, response))

    async def no_more(self) -> None:
        """There are no more answers."""
        for _ in range(self._concurrency):
            await self._queue.put(None)

    async def next(self) -> Answer | None:
        """The next answer; None = there are no more."""
        return await self._queue.get()


def _as_asked(request: Request) -> dict[str, Any]:
    """A judge's request as it is stored: what it is about, from which it can be made again."""
    return {
        "key": request.key.model_dump(),
        "judge_key": request.judge_key.model_dump() if request.judge_key else None,
        "digest": request.digest,
        "about": [reference.model_dump() for reference in request.about],
    }


def is_unscored(directory: RunDirectory, judge: Judge, tasks: frozenset[str]) -> bool:
    """Whether any response of these tasks has no score by this judge yet."""
    scored = index_scores(directory.scores)
    return any(
        is_answered(answer.response) and not _has_scored(judge, answer.response, scored)
        for answer in iter_answers(directory, tasks)
    )


def _has_scored(judge: Judge, response: Response, scored: DigestIndex | None) -> bool:
    if scored is None:
        return False
    digests = (response.digest,)
    return all(score_key_digest(response.key, name, judge.digest, digests) in scored for name in judge.score_names)


def _vote_of(request: Request) -> tuple[tuple[str, ...], int]:
    """Which verdict a request asks for, whichever time it is asked."""
    assert request.judge_key is not None
    return request.judge_key.criteria, request.judge_key.vote


def _is_system_failure(response: Response) -> bool:
    return response.failure is not None and response.failure.blame == "system"
