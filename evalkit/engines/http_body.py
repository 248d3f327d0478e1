"""The body of a request to an OpenAI-compatible server, and its bytes.

    {"model": "llama", "messages": [{"role": "user", "content": "2 + 2?"}], "temperature": 0.0, "top_p": 1.0, ...}

Messages, tools and sampling are sent as the request has them: a candidate's system prompt, tools and sampling are in it
already, since a request's digest covers all that is sent. Of the candidate, only `chat_template_args` and `extra_body`
are added here, `extra_body` last.
"""

import json
from typing import Any

import orjson

from evalkit.core.candidate import Candidate
from evalkit.core.message import Message
from evalkit.core.request import AnswerForm, Request
from evalkit.engines.http_arguments import HttpArguments

LABEL_FIELD = "label"
"""Under answer_form json_schema a label comes as {"label": "full"}: the schema's root has to be an object."""

TOP_LOGPROBS = 20
"""As many alternatives as servers give at most (OpenAI's and vLLM's limit)."""


def request_body(candidate: Candidate, request: Request, arguments: HttpArguments, *, stream: bool) -> dict[str, Any]:
    """The whole body."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": candidate.model,
        "messages": [_message(message) for message in request.messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        arguments.max_tokens_field: sampling.max_tokens,
    }
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if request.tools:
        body["tools"] = list(request.tools)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if candidate.chat_template_args:
        body["chat_template_kwargs"] = candidate.chat_template_args
    return body | _answer_form(request.answer_form, arguments) | candidate.extra_body


def _message(message: Message) -> dict[str, Any]:
    sent: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        sent["tool_calls"] = list(message.tool_calls)
        sent["content"] = message.content or None
    if message.tool_call_id is not None:
        sent["tool_call_id"] = message.tool_call_id
    return sent


def _answer_form(form: AnswerForm, arguments: HttpArguments) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    if form.kind == "labels" and arguments.logprobs:
        sent |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    if form.kind == "free" or arguments.answer_form == "none":
        return sent
    if arguments.answer_form == "vllm_choice":
        limit = {"choice": list(form.labels)} if form.kind == "labels" else {"json": form.json_schema or {}}
        return sent | {"structured_outputs": limit}
    schema = _label_schema(form.labels) if form.kind == "labels" else form.json_schema or {}
    named = {"name": "answer", "strict": True, "schema": schema}
    return sent | {"response_format": {"type": "json_schema", "json_schema": named}}


def _label_schema(labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {LABEL_FIELD: {"type": "string", "enum": list(labels)}},
        "required": [LABEL_FIELD],
        "additionalProperties": False,
    }


def encode_body(body: dict[str, Any]) -> bytes:
    """The body's bytes. A text with a lone surrogate has no UTF-8: it is sent as an escape, which JSON allows."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body, allow_nan=False).encode("ascii")
