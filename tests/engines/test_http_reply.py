from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.message import Message
from evalkit.core.request import Key, Request
from evalkit.core.response import Response, Timing, Usage
from evalkit.engines.http_arguments import HttpArguments
from evalkit.engines.http_json import BadBody, error_message
from evalkit.engines.http_reply import label_logprobs, read_response
from evalkit.engines.http_secrets import Secrets

REQUEST = Request(key=Key(task="t", sample_id="s"), messages=(Message(role="user", content="?"),))
ARGUMENTS = HttpArguments(base_url="http://localhost/v1")


def read(payload: Any) -> Response:
    return read_response(payload, REQUEST, Timing(), ARGUMENTS, Secrets([]))


def answer(**message: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": "stop"}]}


def logprobs(**of_token: float) -> dict[str, Any]:
    top = [{"token": token, "logprob": logprob} for token, logprob in of_token.items()]
    return {"logprobs": {"content": [{"top_logprobs": top}]}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["choices", "usage", "model", "error", "message", "content", "tool_calls", "logprobs", "prompt_tokens_details"]
objects = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values))


@given(objects, objects, objects)
def test_whatever_a_server_sends_is_an_answer_or_a_bad_body(top: Any, choice: Any, message: Any) -> None:
    for payload in (top, {"choices": [choice]} | top, top | {"choices": [choice | {"message": message}]}):
        with suppress(BadBody):
            assert read(payload).request_digest == REQUEST.digest


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(prompt_tokens=0, output_tokens=0)),
        ({"prompt_tokens": None, "completion_tokens": True, "prompt_tokens_details": None}, Usage()),
        ({"prompt_tokens": -1, "completion_tokens": "3"}, Usage()),
    ],
)
def test_a_count_that_was_not_told_is_none_not_zero(usage: Any, expected: Usage) -> None:
    assert read(answer(content="a") | {"usage": usage}).usage == expected


def test_an_answer_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert read(answer(content=parts)).text == "ab"


def test_a_token_that_begins_several_labels_counts_for_none() -> None:
    assert label_logprobs(logprobs(**{"1": -0.1, "2": -3.0}), ("1", "2", "10")) == pytest.approx({"2": -3.0})


def test_labels_that_were_not_found_are_missing_not_minus_infinity() -> None:
    assert label_logprobs(logprobs(yes=-0.1, other=-9.0), ("yes", "no")) == pytest.approx({"yes": -0.1})
    assert label_logprobs(logprobs(other=-0.1), ("yes", "no")) is None
    assert label_logprobs({"logprobs": None}, ("yes", "no")) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "a"}}', "a"),
        (b'{"error": "b"}', "b"),
        (b'{"object": "error", "message": "c"}', "c"),
        (b'{"detail": "d"}', "d"),
        (b"<html>e</html>", "<html>e</html>"),
        (b"\xff", "\ufffd"),
        (b"[1]", "[1]"),
    ],
)
def test_a_servers_message_is_found_in_the_forms_in_use(body: bytes, message: str) -> None:
    assert error_message(body) == message
