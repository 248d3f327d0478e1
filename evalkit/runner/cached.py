"""Answers of earlier runs: an engine that looks an answer up before it asks, for candidates and judges alike.

    key    digest of the request, of the model's identity, and of which draw it is
    value  {"text":"4","finish_reason":"stop","usage":{"prompt_tokens":21,"output_tokens":1}}

Only a model whose identity is real is answered for: a retrained checkpoint must never be compared with itself. What is
never answered from the cache, and why: docs/design/0010-cache.md. How answers are kept: store/cache.py.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError

from evalkit.core.candidate import Candidate
from evalkit.core.json_line import LineError, parse_line
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.core.suite import Suite
from evalkit.engines.base import Engine, model_identity
from evalkit.engines.request_fault import PROMPT_TOO_LONG
from evalkit.runner.progress import Progress
from evalkit.store.cache import KEY_BYTES, ResponseCache
from evalkit.store.lines import encode_line

_NEEDS_NO_CACHE = frozenset({"replay", "echo"})
"""Engines whose answers are here already: asking them costs less than looking an answer up."""
_NOT_KEPT = {"key", "judge_key", "request_digest", "timing", "from_cache"}
"""What belongs to one request of one run."""


def why_not_cached(engine: Engine, candidate: Candidate) -> str | None:
    """Why the answers of a model, whose engine is started, are not kept for other runs; None = they are.

    A model is known by a digest of its weights, by a commit of the hub, or by the revision that its candidate declares.
    """
    served = engine.served
    if engine.name in _NEEDS_NO_CACHE:
        return "they are here already"
    is_known = "weights" in served or bool(served.get("commit"))
    if is_known and candidate.engine_args.get("tokenizer") and "tokenizer" not in served:
        return "its tokenizer is the hub's, which may change: name a folder in engine_args.tokenizer"
    if is_known or candidate.revision:
        return None
    return "nothing says which model it is: declare its `revision`, and change that when the model changes"


def measured_tasks(suite: Suite, candidate: Candidate) -> frozenset[str]:
    """The tasks whose answers must have been timed in this run: of latency, and of a cost by the hour."""
    by_time = candidate.price is not None and candidate.price.usd_per_gpu_hour is not None
    return frozenset(
        task.name
        for task in suite.tasks
        if task.kind == "latency" or (by_time and any(spec.scorer == "cost" for spec in task.scorers))
    )


def may_be_cached(request: Request, measured: frozenset[str]) -> bool:
    """Whether an answer to this request may be given to another run.

    Not when it is timed, and not when it is one of several attempts that were drawn without a seed: how they differ is
    what is measured, and the cache would give the same ones for ever.
    """
    sampling = request.sampling
    if request.send_at_s is not None or (sampling.attempts > 1 and sampling.seed is None):
        return False
    return request.judge_key is not None or request.key.task not in measured


def cache_key(request: Request, identity: str) -> bytes:
    """16 bytes: the same for the same request to the same model.

    Every vote and try of a judge is a draw of its own. So is every sample, where the model draws and no seed is sent:
    two samples that ask the same question do not get one answer twice.
    """
    draw = "" if request.judge_key is None else f"{request.judge_key.vote},{request.judge_key.retry}"
    if request.sampling.temperature > 0 and request.sampling.seed is None:
        draw += f",{len(request.key.task)}:{request.key.task}{request.key.sample_id}"
    text = f"{request.digest} {identity} {draw}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


class CachedEngine:
    """An engine, started, that is asked only what the cache has no answer to."""

    def __init__(
        self, engine: Engine, candidate: Candidate, cache: ResponseCache, measured: frozenset[str] = frozenset()
    ):
        """measured: the tasks whose candidate must be asked in any case."""
        self.name, self.version, self.concurrency = engine.name, engine.version, engine.concurrency
        self.in_process, self.transport_arguments = engine.in_process, engine.transport_arguments
        self.loading, self.warnings = engine.loading, engine.warnings
        self.asked = self.found = 0
        """Requests so far, and how many of them the cache answered."""
        self._engine = engine
        self._cache = cache
        self._measured = measured
        self._identity = model_identity(engine, candidate)
        self._model = f"{engine.name}:{candidate.model}" + (f"@{candidate.revision}" if candidate.revision else "")

    @property
    def served(self) -> dict[str, str]:
        """As the engine says."""
        return self._engine.served

    async def start(self) -> None:
        """As the engine does."""
        await self._engine.start()

    async def respond(self, request: Request) -> Response:
        """The answer that the same request got before, or a new one, kept for later unless the system failed."""
        self.asked += 1
        if not may_be_cached(request, self._measured):
            return await self._engine.respond(request)
        key = cache_key(request, self._identity)
        kept = self._cache.get(key)
        if kept is not None:
            known = as_response(kept, request)
            if known is not None:
                self.found += 1
                return known
        response = await self._engine.respond(request)
        if _is_an_answer(response):
            self._cache.put(key, as_kept(response), model=self._model)
        return response

    async def close(self) -> None:
        """As the engine does."""
        await self._engine.close()


@asynccontextmanager
async def with_cache(
    engine: Engine,
    candidate: Candidate,
    cache: ResponseCache | None,
    progress: Progress,
    measured: frozenset[str] = frozenset(),
) -> AsyncIterator[Engine]:
    """What to ask in place of an engine that is started: the same one where there is no cache or none may be used.

    At the end what is new is written, and how many answers came from the cache is said.
    """
    if cache is None:
        yield engine
        return
    reason = why_not_cached(engine, candidate)
    if reason is not None:
        if engine.name not in _NEEDS_NO_CACHE:
            progress.say(f'answers of "{candidate.name}" are not kept for other runs: {reason}')
        yield engine
        return
    cached = CachedEngine(engine, candidate, cache, measured)
    try:
        yield cached
    finally:
        cache.rest()
    if cached.found:
        progress.say(f"{candidate.name}: {cached.found:,} of {cached.asked:,} answers from the cache")


def as_kept(response: Response) -> bytes:
    """What is kept of an answer: all that does not belong to this request of this run."""
    return encode_line(response.model_dump(exclude=_NOT_KEPT, exclude_defaults=True))


def as_response(kept: bytes, request: Request) -> Response | None:
    """A kept answer as the answer to this request; None = it has a form that this version does not know."""
    try:
        fields = parse_line(kept)
        return Response.model_validate(
            fields
            | {"request_digest": request.digest, "key": request.key, "judge_key": request.judge_key, "from_cache": True}
        )
    except (LineError, TypeError, ValidationError):
        return None


def _is_an_answer(response: Response) -> bool:
    """Whether asking again would say the same. How long a prompt may be is a server's setting, which may change."""
    failure = response.failure
    return failure is None or (failure.blame == "candidate" and failure.kind != PROMPT_TOO_LONG)
