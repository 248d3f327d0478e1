"""Requests and results as lines of batch files: OpenAI's batches, and `vllm run-batch`, which reads the same.

    {"custom_id": "...", "method": "POST", "url": "/v1/chat/completions", "body": {...}}
    {"id": "...", "custom_id": "...", "response": {"status_code": 200, "body": {...}}, "error": null}

The body is the one that the engine openai_http would send, and a result is read as it would read it. A request that
failed in the batch has its error in the response's body (OpenAI) or in `error` (vLLM), and a batch that ran out of time
has only `error`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing
from evalkit.engines.arguments import read_arguments
from evalkit.engines.http_arguments import HttpArguments
from evalkit.engines.http_body import encode_body, request_body
from evalkit.engines.http_fault import Fault, failed_response, fault_of_body, fault_of_status
from evalkit.engines.http_json import BadBody
from evalkit.engines.http_reply import read_response
from evalkit.engines.http_secrets import Secrets
from evalkit.engines.vllm_arguments import VllmArguments

URL = "/v1/chat/completions"
ENGINES = ("openai_http", "vllm")
"""Whose requests a batch file can hold."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class BatchForm:
    """How one candidate's requests and results are written in batch files."""

    candidate: Candidate
    """As it is named in the body."""
    model: str
    """What answers: where the file's body names an adapter, the model below it."""
    arguments: HttpArguments
    secrets: Secrets
    left_out: tuple[str, ...]
    """What the candidate says and the file does not: sentences for whoever sends it."""

    def line(self, request: Request, custom_id: str) -> bytes:
        """One line of the file of requests, newline included."""
        body = request_body(self.candidate, request, self.arguments, stream=False)
        if self.candidate.engine == "vllm" and request.answer_form.kind == "labels":
            # A label may be a token of its own to the tokenizer, which a server would leave out as no text.
            body["skip_special_tokens"] = False
        return encode_body({"custom_id": custom_id, "method": "POST", "url": URL, "body": body}) + b"\n"

    def read(self, row: Mapping[str, Any], request: Request) -> Response:
        """The answer in one line of results, or the failure that it tells of. It has no timing."""
        response, error = row.get("response"), row.get("error")
        outcome: Response | Fault
        if not isinstance(response, dict):
            outcome = self._told(error)
        elif response.get("status_code") != 200:
            told = orjson.dumps(response.get("body") or error)
            outcome = fault_of_status(_status(response), {}, told, took_s=0.0, secrets=self.secrets)
        else:
            try:
                outcome = read_response(response.get("body"), request, Timing(), self.arguments, self.secrets)
            except BadBody as fault:
                outcome = fault_of_body(fault, self.secrets)
        return failed_response(request, outcome) if isinstance(outcome, Fault) else outcome

    def _told(self, error: Any) -> Fault:
        """A line without any response: the batch expired, was cancelled, or never came to it."""
        code = str(error.get("code") or "") if isinstance(error, dict) else ""
        message = error.get("message") if isinstance(error, dict) else error
        kind = code if _KIND.fullmatch(code) else "batch_error"
        return Fault(kind, self.secrets.hide(str(message or "the batch gave no answer and no reason")))


def batch_form(candidate: Candidate) -> BatchForm:
    """The form for a candidate. Raises InputError for an engine whose requests no batch file can hold."""
    if candidate.engine == "openai_http":
        arguments = read_arguments(candidate, HttpArguments)
        left_out = [f"engine_args.headers ({', '.join(arguments.headers)})"] if arguments.headers else []
        return BatchForm(candidate, candidate.model, arguments, _secrets(arguments), tuple(left_out))
    if candidate.engine == "vllm":
        return _vllm_form(candidate)
    raise InputError(
        f'candidate "{candidate.name}": engine {candidate.engine} has no batch files; {" and ".join(ENGINES)} have. '
        "Ask it with `evalkit run`."
    )


def _vllm_form(candidate: Candidate) -> BatchForm:
    """For `vllm run-batch`, which is told by its own arguments what the engine in this process is told by ours."""
    given, model = read_arguments(candidate, VllmArguments), candidate.model
    # Labels are held to as the engine holds to them, and their probabilities are wanted as it gives them.
    arguments = HttpArguments(base_url="http://localhost", answer_form="vllm_choice", logprobs=True)
    left_out = [
        f"{name} {value}" for name, value in (("dtype", candidate.dtype), ("revision", candidate.revision)) if value
    ]
    left_out += [
        f"engine_args.{name}" for name in candidate.engine_args if name not in ("system", "concurrency", "lora")
    ]
    if given.lora is not None:
        # A server knows an adapter by a name of its own. Without it, it refuses: it never answers without the adapter.
        left_out.append(f"the adapter (--enable-lora --lora-modules {candidate.name}={given.lora})")
        candidate = candidate.model_copy(update={"model": candidate.name})
    return BatchForm(candidate, model, arguments, Secrets(()), tuple(left_out))


def _secrets(arguments: HttpArguments) -> Secrets:
    """Keys that a server might repeat, as far as they are known where results are read."""
    named = [source for value in arguments.headers.values() for source in _VARIABLE.findall(value)]
    values = [os.environ.get(name, "").strip() for name in (*named, arguments.api_key_env or "")]
    return Secrets(value for value in values if value)


def _status(response: Mapping[str, Any]) -> int:
    status = response.get("status_code")
    return status if isinstance(status, int) and not isinstance(status, bool) else 0
