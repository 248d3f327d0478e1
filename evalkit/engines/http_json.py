"""A body's JSON, and what an error in it says, in the forms in use: OpenAI's, older vLLM's, FastAPI's, or plain text.

{"error": {"message": "slow down", "code": 429}}  ->  "slow down"
"""

import json
import re
from typing import Any, NoReturn

import orjson

# As vLLM, SGLang, llama.cpp, text-generation-inference and OpenAI put it.
_TOO_LONG = re.compile(
    r"(?i)context[ _-]?(length|window|size)|maximum model length|prompt is too long|inputs` tokens|too many tokens"
)


CONTENT_FILTER = "content_filter"
"""The finish reason, the code of an error and the kind of failure where a server's filter holds something back."""


class BadBody(Exception):
    """A body that is no answer; `str` says why."""


class ErrorInside(BadBody):
    """A body with status 200 that says an error; `str` is the error in words."""

    def __init__(self, payload: dict[str, Any]):
        super().__init__(error_message(json.dumps(payload).encode()))
        self.error = payload["error"]


def parse_json(body: bytes | str) -> Any:
    """A body's JSON. Lone surrogates, which models do write, pass as they are. Raises BadBody."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadBody(f"the server's answer is not JSON ({error})") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def error_message(body: bytes) -> str:
    """What a server says is wrong."""
    try:
        payload = parse_json(body)
    except BadBody:
        return body.decode("utf-8", "replace")
    if not isinstance(payload, dict):
        return str(payload)
    error = payload.get("error", payload)
    told = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return str(told or payload)


def says_prompt_is_too_long(body: bytes) -> bool:
    """Whether an error is about the context's length: by its message, code or type, not by a prompt that it repeats.

    >>> says_prompt_is_too_long(b'{"error": {"message": "Too much.", "code": "context_length_exceeded"}}')
    True
    """
    return any(_TOO_LONG.search(part) for part in _said(body, "message", "detail", "code", "type"))


def says_content_filter(body: bytes) -> bool:
    """Whether an error is about a prompt that the server's content filter refuses, by its code or type."""
    return CONTENT_FILTER in _said(body, "code", "type")


def _said(body: bytes, *fields: str) -> list[str]:
    """What an error says in those fields, or all it says where it is only a text."""
    try:
        payload = parse_json(body)
    except BadBody:
        return []
    error = payload.get("error", payload) if isinstance(payload, dict) else payload
    said = [error.get(name) for name in fields] if isinstance(error, dict) else [error]
    return [part for part in said if isinstance(part, str)]
