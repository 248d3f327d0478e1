"""A request's digest: files, labels and caches hold it, so it must not change with how it is computed."""

from hypothesis import given

from evalkit.core.digest import digest_of
from evalkit.core.message import Message
from evalkit.core.request import AnswerForm, Key, Request, Sampling
from tests.strategies import requests

KEY = Key(task="t", sample_id="s")


def test_the_digest_of_a_known_request_stays_what_it_is() -> None:
    plain = Request(key=KEY, messages=(Message(role="user", content="héllo 😀 \x7f"),))
    labels = Request(
        key=KEY,
        messages=(Message(role="user", content="a"),),
        answer_form=AnswerForm(kind="labels", labels=("a", "b")),
    )
    called = Request(
        key=KEY,
        messages=(
            Message(role="system"),
            Message(role="assistant", tool_calls=({"id": "1"},), content="x"),
            Message(role="tool", tool_call_id="1", content="r"),
        ),
        tools=({"a": 1},),
        sampling=Sampling(temperature=0.3, seed=3, stop=("a",), attempts=3),
    )
    assert [request.digest for request in (plain, called, labels)] == [
        "085b56ecb0d1fa3ca3f68ea0693d51c8",
        "0b9fd38aa7ed47b81298a3803addbd71",
        "a53668ca974bf8ba8ee8ac7da02a0cbb",
    ]


@given(requests())
def test_the_digest_is_that_of_all_that_is_sent_as_plain_json(request: Request) -> None:
    assert request.digest == digest_of(
        {
            "messages": [message.model_dump(mode="json", exclude_defaults=True) for message in request.messages],
            "tools": list(request.tools),
            "sampling": request.sampling.model_dump(mode="json", exclude={"attempts"}),
            "answer_form": request.answer_form.model_dump(mode="json", exclude_defaults=True),
        }
    )
