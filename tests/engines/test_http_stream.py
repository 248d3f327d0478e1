import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.http_stream import EventBuffer, StreamedCompletion


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)), st.data())
def test_events_are_the_same_wherever_the_bytes_are_cut(texts: list[str], data: st.DataObject) -> None:
    events = [json.dumps(text, ensure_ascii=False) for text in texts]
    sent = "".join(f": still here\r\nevent: message\ndata: {event}\r\n\r\n" for event in events).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=5)))
    buffer = EventBuffer()
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert [event for piece in pieces for event in buffer.feed(piece)] == events


def add_all(*deltas: dict[str, Any]) -> tuple[list[bool], dict[str, Any]]:
    completion = StreamedCompletion()
    brought = [completion.add({"choices": [{"delta": delta}]}) for delta in deltas]
    message: dict[str, Any] = completion.completion()["choices"][0]["message"]
    return brought, message


def test_a_role_or_an_empty_piece_is_no_first_token() -> None:
    brought, message = add_all({"role": "assistant", "content": ""}, {"content": None}, {"content": "a"})
    assert brought == [False, False, True]
    assert message == {"content": "a"}


def test_a_thought_is_kept_apart_from_the_answer_and_is_a_first_token() -> None:
    brought, message = add_all({"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "4"})
    assert brought == [True, True, True]
    assert message == {"reasoning_content": "hm", "content": "4"}


def test_tool_calls_are_put_together_by_their_index() -> None:
    _, message = add_all(
        {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]},
    )
    assert [(call["id"], call["function"]) for call in message["tool_calls"]] == [
        ("a", {"name": "f", "arguments": '{"x": 1}'}),
        ("b", {"name": "g", "arguments": "{}"}),
    ]


def test_usage_comes_last_and_without_a_choice() -> None:
    completion = StreamedCompletion()
    completion.add({"model": "m", "usage": None, "choices": [{"delta": {"content": "a"}, "finish_reason": None}]})
    before = completion.finished
    completion.add({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    completion.add({"choices": [], "usage": {"prompt_tokens": 3}})
    assert (before, completion.finished) == (False, True)
    assert completion.completion()["usage"] == {"prompt_tokens": 3}
    assert completion.completion()["choices"][0]["finish_reason"] == "stop"
