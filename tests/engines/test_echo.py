import asyncio
import time

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import JudgeKey, Key, Request
from evalkit.core.response import Response, Usage
from evalkit.engines.base import EngineContext
from evalkit.engines.echo import EchoEngine

KEY = Key(task="t", sample_id="s")


def echo(request: Request, **engine_args: object) -> Response:
    engine = EchoEngine(Candidate(name="e", engine="echo", engine_args=engine_args), EngineContext())
    return asyncio.run(engine.respond(request))


def conversation(*turns: tuple[str, str]) -> Request:
    messages = tuple(Message.model_validate({"role": role, "content": content}) for role, content in turns)
    return Request(key=KEY, messages=messages)


def test_the_last_user_message_comes_back() -> None:
    request = conversation(("system", "be brief"), ("user", "one"), ("assistant", "two"), ("user", "三\ud800"))
    response = echo(request)
    assert response.text == "三\ud800"
    assert (response.request_digest, response.key, response.failure) == (request.digest, KEY, None)


def test_no_tokens_are_claimed() -> None:
    assert echo(conversation(("user", "one two"))).usage == Usage()


def test_where_no_user_speaks_the_last_message_comes_back() -> None:
    assert echo(conversation(("system", "a"), ("assistant", "b"))).text == "b"


def test_a_fixed_text_answers_everything_even_an_empty_one() -> None:
    assert echo(conversation(("user", "one")), text="VERDICT: full").text == "VERDICT: full"
    assert echo(conversation(("user", "one")), text="").text == ""


def test_a_judges_request_keeps_its_judge_key() -> None:
    request = conversation(("user", "one")).model_copy(update={"judge_key": JudgeKey(judge="j", vote=1)})
    assert echo(request).judge_key == JudgeKey(judge="j", vote=1)


def test_the_delay_is_waited() -> None:
    began = time.monotonic()
    echo(conversation(("user", "one")), delay_s=0.05)
    assert time.monotonic() - began >= 0.05


def test_an_unknown_argument_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(InputError, match=r'"e": engine argument "delay" is not known. Did you mean "delay_s"'):
        echo(conversation(("user", "one")), delay=1)


def test_a_wrong_value_is_refused_with_what_was_expected() -> None:
    with pytest.raises(InputError, match=r"engine_args.delay_s is -1: .* Expected: Seconds before each answer"):
        echo(conversation(("user", "one")), delay_s=-1)
