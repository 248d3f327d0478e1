"""The generation pass: every request asked, and each answer appended, scored and handed to the judges as it ends.

    requests.jsonl, samples.jsonl -> responses.jsonl, scores.jsonl

What is on file is not done again: an answer by its key and request, a score by its response and its scorer. So the same
pass goes on with a run that was stopped, and, without an engine, scores one that was answered before.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice, takewhile

from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.engines.base import Engine
from evalkit.runner.answers import Question, iter_questions, not_answered
from evalkit.runner.flight import keep_in_flight
from evalkit.runner.group import Group
from evalkit.runner.judge import JudgeBeside
from evalkit.runner.meter import LimitReached, Meter
from evalkit.runner.progress import Tally
from evalkit.runner.score import PassScorer, score_one
from evalkit.store.index import DigestIndex, index_scores
from evalkit.store.keys import key_digest, score_key_digest
from evalkit.store.records import BlockWriter, RecordReader, RecordWriter
from evalkit.store.rundir import RunDirectory

QUESTIONS_AHEAD = 64


class GenerationPass:
    """One run's answers, and the scores that rules and recorded verdicts give them. It holds files: use `with`."""

    def __init__(
        self,
        directory: RunDirectory,
        scorers: Mapping[str, Sequence[PassScorer]],
        engine: Engine | None,
        finished: DigestIndex,
        tally: Tally,
        meter: Meter,
    ):
        """The caller holds the run's lock. scorers: task -> its scorers. engine: started; None = nothing is asked.

        meter: once it has stopped, nothing more is begun.
        """
        self._directory = directory
        self._scorers = scorers
        self._engine = engine
        self._concurrency = 1 if engine is None else engine.concurrency
        self._finished = finished if len(finished) else None
        self._tally = tally
        self._meter = meter
        scored = index_scores(directory.scores)
        self._scored = scored if len(scored) else None
        self._files = ExitStack()
        self._responses = self._files.enter_context(RecordWriter(directory.responses))
        self._scores = self._files.enter_context(BlockWriter(directory.scores))
        self._reader = self._files.enter_context(RecordReader(directory.responses, Response))
        wait = engine is not None and not engine.in_process
        self._ended = Group(self._keep, self._concurrency, wait=wait)
        self._files.callback(self._ended.flush)

    def __enter__(self) -> "GenerationPass":
        return self

    def __exit__(self, *raised: object) -> None:
        self._files.close()

    async def run(self, judges: Sequence[JudgeBeside] = ()) -> None:
        """Do all of it. judges: take every answer of their tasks; told when there are no more."""

        async def settle(question: Question) -> None:
            try:
                response = await self._response_to(question)
            except LimitReached:
                return
            for judge in judges:
                await judge.take(question.task, question.sample, response)

        going_on = takewhile(lambda _: not self._meter.stopped, _read_ahead(iter_questions(self._directory)))
        await keep_in_flight(going_on, settle, self._concurrency)
        for judge in judges:
            await judge.no_more()

    async def _response_to(self, question: Question) -> Response:
        """The answer on file, a new one, or what stands for none; on file and scored when this returns."""
        known = self._known(question.request)
        if self._engine is not None and known is None:
            response = await self._engine.respond(question.request)
            await self._ended.add((question, response))
            return response
        response = known or not_answered(question.request)
        if self._engine is None:
            self._tally.add(response)
        if known is not None:
            self._score(question, response)
        return response

    def _keep(self, ended: list[tuple[Question, Response]]) -> None:
        self._responses.append_all(response for _, response in ended)
        for question, response in ended:
            self._tally.add(response)
            self._score(question, response)

    def _known(self, request: Request) -> Response | None:
        if self._finished is None:
            return None
        offset = self._finished.offset(key_digest(request.key, None, request.digest))
        return None if offset is None else self._reader.at(offset)

    def _score(self, question: Question, response: Response) -> None:
        for scorer in self._scorers[question.task]:
            if self._scored is None or not self._has_score(scorer, response, self._scored):
                self._scores.append(score_one(scorer, question.sample, response))

    @staticmethod
    def _has_score(scorer: PassScorer, response: Response, scored: DigestIndex) -> bool:
        return score_key_digest(response.key, scorer.name, scorer.digest, (response.digest,)) in scored


def _read_ahead(questions: Iterator[Question]) -> Iterator[Question]:
    """A few at a time, with their digests: read one by one, between two answers, each costs twice as much."""
    while block := list(islice(questions, QUESTIONS_AHEAD)):
        for question in block:
            _ = question.request.digest
        yield from block
