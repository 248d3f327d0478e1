"""The judging pass of one judge that asks a model: the same asking as generation, its own files, scores at the end.

    samples.jsonl + responses.jsonl -> judging/<judge>/requests.jsonl, responses.jsonl -> scores.jsonl

A verdict that cannot be read is asked for again, at most `max_asks` times; then its absence is the judge's failure.
"""

from collections.abc import Iterator
from contextlib import closing

from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.engines.base import Engine
from evalkit.runner.answers import Answer, iter_answers
from evalkit.runner.flight import keep_in_flight
from evalkit.runner.progress import Progress
from evalkit.scorers.judge import Judge
from evalkit.store.index import DigestIndex, index_responses, index_scores
from evalkit.store.keys import key_digest, score_key_digest
from evalkit.store.records import RecordWriter, read_at
from evalkit.store.rundir import JudgingFiles, RunDirectory


class Asker:
    """Asks one judge about one response, as often as its spec allows, and remembers what was asked before."""

    def __init__(self, judge: Judge, engine: Engine, files: JudgingFiles, run_id: str):
        """The engine is started, and stays so. `files` belong to whoever holds the lock of their folder."""
        self._judge = judge
        self._engine = engine
        self._run_id = run_id
        self._responses_path = files.responses
        self._known = index_responses(files.responses)
        self._requests = RecordWriter(files.requests)
        self._responses = RecordWriter(files.responses)

    def close(self) -> None:
        """Close the files."""
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
        return self._judge.read(sample, (response,), verdicts)

    async def _verdict(self, request: Request) -> Response:
        """The recorded verdict for this very request, or a new one."""
        offset = self._known.offset(key_digest(request.key, request.judge_key))
        if offset is not None:
            known = read_at(self._responses_path, offset, Response)
            if known.request_digest == request.digest and not _is_system_failure(known):
                return known
        self._requests.append(
            {
                "key": request.key.model_dump(mode="json"),
                "judge_key": request.judge_key.model_dump(mode="json") if request.judge_key else None,
                "digest": request.digest,
                "about": [reference.model_dump(mode="json") for reference in request.about],
            }
        )
        response = await self._engine.respond(request)
        self._responses.append(response)
        return response


class JudgingPass:
    """One judge over one run's responses."""

    def __init__(self, judge: Judge, engine: Engine, directory: RunDirectory, progress: Progress):
        """The engine is started, and stays so while the pass runs."""
        self._judge = judge
        self._concurrency = engine.concurrency
        self._progress = progress
        self._directory = directory
        self._asker = Asker(judge, engine, directory.judging(judge.name, judge.digest), directory.manifest.run_id)
        self._scored = index_scores(directory.scores)

    async def run(self, tasks: frozenset[str]) -> None:
        """Judge every response of these tasks that this judge has not scored yet."""
        total = sum(1 for _ in iter_answers(self._directory, tasks))
        self._progress.begin(f"judge {self._judge.name}: {self._directory.manifest.candidate.name}", total)
        with closing(self._asker), RecordWriter(self._directory.scores) as scores:

            async def judge_one(answer: Answer) -> None:
                found = await self._asker.scores_of(answer.sample, answer.response)
                for score in found:
                    scores.append(score)
                self._progress.advance(failed=any(score.failure is not None for score in found))

            await keep_in_flight(self._unscored(tasks), judge_one, self._concurrency)
        self._progress.end()

    def _unscored(self, tasks: frozenset[str]) -> Iterator[Answer]:
        for answer in iter_answers(self._directory, tasks):
            if self._is_scored(answer.response):
                self._progress.advance()
            else:
                yield answer

    def _is_scored(self, response: Response) -> bool:
        return _has_scored(self._judge, response, self._scored)


def is_unscored(directory: RunDirectory, judge: Judge, tasks: frozenset[str]) -> bool:
    """Whether any response of these tasks has no score by this judge yet."""
    scored = index_scores(directory.scores)
    return any(not _has_scored(judge, answer.response, scored) for answer in iter_answers(directory, tasks))


def _has_scored(judge: Judge, response: Response, scored: DigestIndex) -> bool:
    digests = (response.digest,)
    return all(score_key_digest(response.key, name, judge.digest, digests) in scored for name in judge.score_names)


def _vote_of(request: Request) -> tuple[tuple[str, ...], int]:
    """Which verdict a request asks for, whichever time it is asked."""
    assert request.judge_key is not None
    return request.judge_key.criteria, request.judge_key.vote


def _is_system_failure(response: Response) -> bool:
    return response.failure is not None and response.failure.blame == "system"
