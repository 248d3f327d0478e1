"""OpenAI-compatible servers (vLLM, SGLang, llama.cpp, a hosted API) as an engine.

    POST {base_url}/chat/completions  ->  Response(text=..., usage=..., timing=...)

What becomes of an attempt that fails:
    408, 409, 429, 5xx, timeout, a cut or unreadable body       tried again, then the system's failure
    no connection, a reset one, 502, 503, 504                   so too, unless the server is gone: then requests wait
    400, 413, 422 that speak of the context's length            the candidate's failure (`prompt_too_long`)
    401; 3xx, 403, 404 before anything was answered             InputError: the run cannot go on
    no server for `down_timeout_s`                              EngineLost: the run can go on later
    any other status, an answer that is too large               the system's failure
"""

import asyncio
import os
import time
from functools import partial

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.http_arguments import HttpArguments, read_headers
from evalkit.engines.http_body import encode_body, request_body
from evalkit.engines.http_connection import Answer, HttpConnection
from evalkit.engines.http_fault import Fault, failed_response, fault_of_body
from evalkit.engines.http_json import BadBody
from evalkit.engines.http_mend import mend_of
from evalkit.engines.http_reply import read_response
from evalkit.engines.http_retry import RetryPolicy, with_retries
from evalkit.engines.http_secrets import Secrets
from evalkit.engines.http_server import Pause, Server
from evalkit.engines.http_servers import Servers
from evalkit.engines.http_start import check_servers


class OpenAIHttpEngine:
    """Sends requests as they are (see http_body.py). What becomes of one is a Response; an exception ends the run."""

    name = "openai_http"
    version = "1"
    loading = ""
    warnings: tuple[str, ...] = ()
    in_process = False
    transport_arguments = frozenset(
        {
            "api_key_env", "headers", "stream", "concurrency", "attempt_timeout_s", "total_timeout_s",
            "connect_timeout_s", "max_retries", "down_timeout_s", "max_answer_mib",
        }
    )  # fmt: skip

    def __init__(self, candidate: Candidate, context: EngineContext):
        self._candidate = candidate
        self._arguments = arguments = read_arguments(candidate, HttpArguments)
        self._check_candidate()
        if candidate.revision:  # the user's word for which model it is: the same one may answer at another address
            self.transport_arguments = self.transport_arguments | {"base_url"}
        headers = read_headers(candidate, arguments, os.environ)
        self._headers, self._secrets = headers, Secrets(headers.values())
        self._stream = arguments.stream or context.measure_timing
        self._say = context.say
        self._connection: HttpConnection | None = None
        self._places: asyncio.Semaphore
        self._servers: Servers | None = None
        self._started_at_s = 0.0
        self._has_answered = False
        self._over: InputError | None = None
        """Why nothing more is asked."""
        self.concurrency = arguments.concurrency
        self.served = {"base_url": ", ".join(arguments.base_urls)}
        self.pause = Pause(arguments.down_timeout_s)
        self.retry_policy = RetryPolicy(arguments.max_retries, arguments.attempt_timeout_s, arguments.total_timeout_s)

    async def start(self) -> None:
        """Open the session and see that a server is there; raises InputError when none answers."""
        self._started_at_s = time.monotonic()
        self._places = asyncio.Semaphore(self.concurrency)
        arguments = self._arguments
        connection = HttpConnection(arguments, self._headers, self._secrets)
        try:
            silent = await check_servers(connection, arguments.base_urls, arguments.connect_timeout_s, self._secrets)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._servers = Servers(arguments.base_urls, connection.look, self.pause, self._say)
        self._servers.start_without(silent)

    async def respond(self, request: Request) -> Response:
        """One answer, after as many attempts as it takes.

        Raises InputError when nothing can be answered at all, and EngineLost when no server answers any more.
        """
        servers, connection = self._servers, self._connection
        assert servers is not None and connection is not None, "start() comes before respond()"
        body = encode_body(request_body(self._candidate, request, self._arguments, stream=self._stream))
        asker = object()
        server: Server

        async def ready() -> float:
            nonlocal server
            began = time.monotonic()
            server = await servers.free()
            return time.monotonic() - began

        async def attempt(timeout_s: float) -> Response | Fault:
            try:
                async with self._places:
                    self._check_over()
                    answer = await connection.ask(server.base_url, body, timeout_s)
            finally:
                server.in_flight -= 1
            if isinstance(answer, Answer):
                server.answered()
                return self._read(answer, request)
            if not answer.unreached:
                server.failed(answer)
                return answer
            return await servers.unreached(server, answer, asker)

        # A request with a time of its own belongs to a measured load: asked again, it would change what is measured.
        if request.send_at_s is not None:
            server = servers.any_server()
            outcome = await attempt(self._arguments.attempt_timeout_s)
        else:
            outcome = await with_retries(attempt, self.retry_policy, ready)
        if isinstance(outcome, Response):
            self._has_answered = True
            return outcome
        return await self._failed(request, outcome, server.base_url)

    async def close(self) -> None:
        """Close the session."""
        if self._servers is not None:
            await self._servers.close()
            self._servers = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def _check_candidate(self) -> None:
        if not self._candidate.model:
            raise InputError(f'candidate "{self._candidate.name}" has no `model`: the name the server knows it by')
        for field in ("messages", "n"):
            if field in self._candidate.extra_body:
                raise InputError(
                    f'candidate "{self._candidate.name}": extra_body may not hold "{field}", which the run decides. '
                    "Take it out (several answers to one sample: `attempts` in the task's sampling)."
                )

    def _check_over(self) -> None:
        """Once a key is refused, nothing more is sent."""
        if self._over is not None:
            raise self._over

    def _read(self, answer: Answer, request: Request) -> Response | Fault:
        first_token_at_s = answer.first_token_at_s
        timing = Timing(
            scheduled_s=request.send_at_s,
            sent_s=answer.sent_at_s - self._started_at_s,
            ttft_s=None if first_token_at_s is None else first_token_at_s - answer.sent_at_s,
            e2e_s=answer.ended_at_s - answer.sent_at_s,
        )
        try:
            return read_response(answer.payload, request, timing, self._arguments, self._secrets)
        except BadBody as error:
            return fault_of_body(error, self._secrets)

    async def _failed(self, request: Request, fault: Fault, base_url: str) -> Response:
        """The failure that stands in an answer's place. Raises InputError where no request of the run can succeed."""
        if fault.status == 401 or (fault.status is not None and not self._has_answered):
            await self._end_if_nothing_can_succeed(fault, base_url)
        return failed_response(request, fault)

    async def _end_if_nothing_can_succeed(self, fault: Fault, base_url: str) -> None:
        connection = self._connection
        assert connection is not None
        self._check_over()
        list_models = partial(connection.list_models, base_url)
        mend = await mend_of(fault.status, self._candidate.model, self._arguments, self._headers, list_models)
        if mend:
            where = f'candidate "{self._candidate.name}" at {base_url}'
            self._over = InputError(f"{where}: {fault.message.rstrip('.')}. {mend}")
            raise self._over
