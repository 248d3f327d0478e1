"""Read what an OpenAI-compatible server answered.

    {"model": "llama", "choices": [{"message": {"content": "4"}, "finish_reason": "stop"}], "usage": {...}}
    -> Response(text="4", finish_reason="stop", served_model="llama", usage=Usage(...))

An answer that ran out of tokens, or that a content filter cut, keeps its text and is the candidate's failure.
"""

import math
from collections import defaultdict
from typing import Any

from evalkit.core.failure import Failure
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing, Usage
from evalkit.engines.http_arguments import HttpArguments
from evalkit.engines.http_body import LABEL_FIELD
from evalkit.engines.http_json import CONTENT_FILTER, BadBody, ErrorInside, parse_json
from evalkit.engines.http_secrets import Secrets


def read_response(
    payload: Any, request: Request, timing: Timing, arguments: HttpArguments, secrets: Secrets
) -> Response:
    """The response. Raises BadBody when the payload holds no answer, or parts of a kind that the protocol has not."""
    try:
        return _read(payload, request, timing, arguments, secrets)
    except (AttributeError, TypeError, ValueError) as error:
        raise BadBody(f"the server's answer has an unknown form ({error})") from None


def _read(payload: Any, request: Request, timing: Timing, arguments: HttpArguments, secrets: Secrets) -> Response:
    choice, message = _choice_of(payload)
    labels = request.answer_form.labels if request.answer_form.kind == "labels" else ()
    text = _text_of(message)
    if labels and arguments.answer_form == "json_schema":
        text = _bare_label(text)
    finish_reason = _text_or_none(choice.get("finish_reason"))
    return Response(
        request_digest=request.digest,
        key=request.key,
        judge_key=request.judge_key,
        text=secrets.hide_keys(text),
        reasoning=secrets.hide_keys(_text_or_none(message.get("reasoning_content") or message.get("reasoning"))),
        tool_calls=secrets.hide_keys(_tool_calls_of(message)),
        label_logprobs=label_logprobs(choice, labels) if labels and arguments.logprobs else None,
        finish_reason=secrets.hide_keys(finish_reason),
        stop_reason=secrets.hide_keys(_text_or_none(choice.get("stop_reason"))),
        served_model=secrets.hide_keys(_text_or_none(payload.get("model"))),
        fingerprint=secrets.hide_keys(_text_or_none(payload.get("system_fingerprint"))),
        usage=_usage_of(payload.get("usage")),
        timing=timing,
        failure=_cut_short(finish_reason, request),
    )


def _choice_of(payload: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if isinstance(payload, dict) and payload.get("error") and not payload.get("choices"):
        raise ErrorInside(payload)
    choices = payload.get("choices") if isinstance(payload, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(choice, dict) and isinstance(choice.get("error"), dict):
        raise ErrorInside(choice)
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise BadBody("the server's answer has no choices[0].message")
    return choice, message


def _text_of(message: dict[str, Any]) -> str:
    """The answer's text; a refusal that comes in a field of its own is what the model said."""
    content = message.get("content")
    if content is None:
        content = message.get("refusal") or ""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise BadBody("the server's answer has a message whose content is no text")
    return content


def _bare_label(text: str) -> str:
    """`{"label": "full"}` -> `full`, so that a label reads the same however the server was held to it."""
    try:
        value = parse_json(text)
    except BadBody:
        return text
    label = value.get(LABEL_FIELD) if isinstance(value, dict) else None
    return label if isinstance(label, str) else text


def _tool_calls_of(message: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    calls = message.get("tool_calls") or ()
    if not isinstance(calls, list | tuple) or not all(isinstance(call, dict) for call in calls):
        raise BadBody("the server's answer has tool_calls that are no list of objects")
    return tuple(calls)


def label_logprobs(choice: dict[str, Any], labels: tuple[str, ...]) -> dict[str, float] | None:
    """Natural log-probability of each label's first token at the answer's first position; None = none was found.

    A token counts for the one label that begins with it. One that begins several ("1" of 1 and 10) counts for none: it
    does not tell them apart. Variants of one label (" full", "full") are added up.
    """
    content = (choice.get("logprobs") or {}).get("content") or []
    first = content[0] if content and isinstance(content[0], dict) else {}
    probability: defaultdict[str, float] = defaultdict(float)
    for entry in first.get("top_logprobs") or []:
        token, logprob = str(entry.get("token") or "").strip(), entry.get("logprob")
        begun = [label for label in labels if token and label.startswith(token)]
        if len(begun) == 1 and isinstance(logprob, int | float):
            probability[begun[0]] += math.exp(min(0.0, logprob))
    return {label: math.log(share) for label, share in probability.items() if share > 0} or None


MOST_TOKENS = 2**53
"""More than any answer has, and as many as JSON numbers keep exactly."""


def _usage_of(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    prompt, output = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_tokens=_count(prompt.get("cached_tokens")) if isinstance(prompt, dict) else None,
        output_tokens=_count(usage.get("completion_tokens")),
        reasoning_tokens=_count(output.get("reasoning_tokens")) if isinstance(output, dict) else None,
    )


def _count(value: Any) -> int | None:
    """A count of tokens; None for what cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS else None


def _text_or_none(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _cut_short(finish_reason: str | None, request: Request) -> Failure | None:
    """The candidate's failure where its answer was not let out whole."""
    if finish_reason == "length":
        message = f"the answer was cut off at {request.sampling.max_tokens} tokens"
        return Failure(blame="candidate", stage="generate", kind="ran_out_of_tokens", message=message)
    if finish_reason == CONTENT_FILTER:
        message = "the server's content filter held the answer back, or cut it off"
        return Failure(blame="candidate", stage="generate", kind=CONTENT_FILTER, message=message)
    return None
