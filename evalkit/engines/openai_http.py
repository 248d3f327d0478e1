"""An OpenAI-compatible server (vLLM, SGLang, llama.cpp, a hosted API) as an engine.

    POST {base_url}/chat/completions  ->  Response(text=..., usage=..., timing=...)

What becomes of an attempt that fails:
    408, 409, 429, 5xx, no connection, timeout, a cut or unreadable body    tried again, then the system's failure
    400, 413, 422 that speak of the context's length                        the candidate's failure (`prompt_too_long`)
    3xx, 401, 403, 404 before anything was answered                         InputError: the run cannot go on
    any other status                                                        the system's failure
"""

import os
import time

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.http_arguments import HttpArguments, read_headers
from evalkit.engines.http_body import encode_body, request_body
from evalkit.engines.http_connection import Answer, HttpConnection
from evalkit.engines.http_refusal import failed_response
from evalkit.engines.http_reply import BadBody, read_response
from evalkit.engines.http_retry import Fault, RetryPolicy, with_retries
from evalkit.engines.http_secrets import Secrets


class OpenAIHttpEngine:
    """Sends requests as they are (see http_body.py) and never raises for what becomes of one, but for a run that
    cannot start: no server, a refused key, an unknown model.
    """

    name = "openai_http"
    version = "1"
    loading = ""
    warnings: tuple[str, ...] = ()
    in_process = False
    transport_arguments = frozenset(
        {
            "api_key_env", "headers", "stream", "concurrency", "attempt_timeout_s", "total_timeout_s",
            "connect_timeout_s", "max_retries",
        }
    )  # fmt: skip

    def __init__(self, candidate: Candidate, context: EngineContext):
        self._candidate = candidate
        self._arguments = read_arguments(candidate, HttpArguments)
        self._check_candidate()
        if candidate.revision:  # the user's word for which model it is: the same one may answer at another address
            self.transport_arguments = self.transport_arguments | {"base_url"}
        headers = read_headers(candidate, self._arguments, os.environ)
        self._headers, self._secrets = headers, Secrets(headers.values())
        self._stream = self._arguments.stream or context.measure_timing
        self._connection: HttpConnection | None = None
        self._started_at_s = 0.0
        self._has_answered = False
        self.concurrency = self._arguments.concurrency
        self.served = {"base_url": self._arguments.base_url}
        self.retry_policy = RetryPolicy(
            self._arguments.max_retries, self._arguments.attempt_timeout_s, self._arguments.total_timeout_s
        )

    async def start(self) -> None:
        """Open the session and see that a server is there; raises InputError when none answers."""
        self._started_at_s = time.monotonic()
        connection = HttpConnection(self._arguments, self._headers, self._secrets)
        try:
            await connection.check()
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def respond(self, request: Request) -> Response:
        """One answer, after as many attempts as it takes. Raises InputError when nothing can be answered at all."""
        assert self._connection is not None, "start() comes before respond()"
        connection = self._connection
        body = encode_body(request_body(self._candidate, request, self._arguments, stream=self._stream))

        async def attempt(timeout_s: float) -> Response | Fault:
            answer = await connection.ask(body, timeout_s)
            return answer if isinstance(answer, Fault) else self._read(answer, request)

        # A request with a time of its own belongs to a measured load: asked again, it would change what is measured.
        if request.send_at_s is not None:
            outcome = await attempt(self._arguments.attempt_timeout_s)
        else:
            outcome = await with_retries(attempt, self.retry_policy)
        if isinstance(outcome, Response):
            self._has_answered = True
            return outcome
        return self._failed(request, outcome)

    async def close(self) -> None:
        """Close the session."""
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
            return Fault("bad_body", self._secrets.hide(str(error)))

    def _failed(self, request: Request, fault: Fault) -> Response:
        mend = "" if self._has_answered else self._mend(fault.status)
        if mend:
            where = f'candidate "{self._candidate.name}" at {self._arguments.base_url}'
            raise InputError(f"{where}: {fault.message}. {mend}")
        return failed_response(request, fault)

    def _mend(self, status: int | None) -> str:
        """What to do about a status with which no request of the run can succeed; "" for any other."""
        if status in (401, 403):
            return self._mend_of_key()
        if status == 404:
            return "Check `model`, and engine_args.base_url, to which /chat/completions is added."
        if status is not None and 300 <= status < 400:
            return "Set engine_args.base_url to where the server really is."
        return ""

    def _mend_of_key(self) -> str:
        variable = self._arguments.api_key_env
        if "Authorization" in self._headers:
            return f"The key came from {variable}: set the right one, or ask for access to the model."
        if self._headers:
            return "Set the right values for engine_args.headers, or ask for access to the model."
        unset = f"{variable} is not set" if variable else "engine_args.api_key_env is null"
        return f"No key was sent: {unset}."
