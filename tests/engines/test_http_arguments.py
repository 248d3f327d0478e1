from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.http_arguments import HttpArguments, read_headers
from evalkit.engines.openai_http import OpenAIHttpEngine

SECRET = "sk-1234567890abcdef"


def candidate(**engine_args: Any) -> Candidate:
    base_url = {"base_url": "http://localhost:8000/v1"}
    return Candidate(name="c", engine="openai_http", model="m", engine_args=base_url | engine_args)


def headers(environment: dict[str, str], **engine_args: Any) -> dict[str, str]:
    made = candidate(**engine_args)
    return read_headers(made, read_arguments(made, HttpArguments), environment)


def refusal(**engine_args: Any) -> str:
    with pytest.raises(InputError) as caught:
        headers({}, **engine_args)
    assert caught.value.__context__ is None, "what was refused must not travel along in a traceback"
    return str(caught.value)


def test_an_unknown_argument_is_refused_with_the_nearest_known() -> None:
    said = refusal(concurency=3)
    assert said.startswith('candidate "c": engine argument "concurency" is not known. Did you mean "concurrency"?')


def test_a_missing_base_url_is_said_with_what_it_is() -> None:
    with pytest.raises(InputError, match=r"engine_args.base_url is missing. Expected: where the server is, .*/v1"):
        read_arguments(Candidate(name="c", engine="openai_http"), HttpArguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("concurrency", 0),
        ("concurrency", "many"),
        ("max_retries", -1),
        ("attempt_timeout_s", 0),
        ("max_tokens_field", "max"),
        ("answer_form", "grammar"),
    ],
)
def test_a_wrong_value_is_said_with_what_was_expected(name: str, value: Any) -> None:
    said = refusal(**{name: value})
    assert f"engine_args.{name} is {value!r}: " in said
    assert "Expected: " in said


@pytest.mark.parametrize(
    "base_url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "http://host:99999/v1",
        "http://ho st/v1",
        "http://h/v1/chat/completions",
    ],
)
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    assert "engine_args.base_url: " in refusal(base_url=base_url)


@pytest.mark.parametrize(
    "engine_args",
    [
        {"base_url": f"https://me:{SECRET}@host/v1"},
        {"base_url": f"https://host/v1?key={SECRET}"},
        {"api_key_env": SECRET},
        {"headers": {"X-Key": SECRET}},
        {"headers": {"X-Key": f"Bearer {SECRET}"}},
        {"headers": {f"X Key: {SECRET}": "${KEY}"}},
        {"headers": {"X-Key": [SECRET]}},
        {"headers": SECRET},
        {"api_key": SECRET},
    ],
    ids=str,
)
def test_a_secret_in_the_candidate_itself_is_refused_and_not_repeated(engine_args: dict[str, Any]) -> None:
    assert SECRET not in refusal(**engine_args)


def test_the_default_key_is_sent_when_it_is_there() -> None:
    assert headers({"OPENAI_API_KEY": f" {SECRET}\n"}) == {"Authorization": f"Bearer {SECRET}"}
    assert headers({}) == {}
    assert headers({"OPENAI_API_KEY": ""}) == {}


def test_no_key_is_sent_when_the_candidate_says_none() -> None:
    assert headers({"OPENAI_API_KEY": SECRET}, api_key_env=None) == {}


def test_a_named_key_that_is_not_set_is_refused() -> None:
    assert "api_key_env needs the environment variable MY_KEY, which is not set" in refusal(api_key_env="MY_KEY")
    assert "which is not set" in refusal(api_key_env="OPENAI_API_KEY")


def test_headers_come_from_the_environment() -> None:
    environment = {"TEAM": "blue", "TOKEN": "Basic abc", "OPENAI_API_KEY": SECRET}
    sent = headers(environment, headers={"X-Team": "${TEAM}", "authorization": "${TOKEN}"})
    assert sent == {"X-Team": "blue", "authorization": "Basic abc"}
    assert 'header "X-Team" needs the environment variable TEAM' in refusal(headers={"X-Team": "${TEAM}"})


def test_a_value_that_no_header_can_carry_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError, match=r"MY_KEY .* holds a character that no header can carry") as caught:
        headers({"MY_KEY": f"{SECRET}\r\nX-Other: 1"}, api_key_env="MY_KEY")
    assert SECRET not in str(caught.value)


def test_a_candidate_without_a_model_is_refused() -> None:
    with pytest.raises(InputError, match="has no `model`"):
        OpenAIHttpEngine(candidate().model_copy(update={"model": ""}), EngineContext())


@pytest.mark.parametrize("field", ["messages", "n"])
def test_extra_body_may_not_decide_what_the_run_decides(field: str) -> None:
    with pytest.raises(InputError, match=f'extra_body may not hold "{field}"'):
        OpenAIHttpEngine(candidate().model_copy(update={"extra_body": {field: 2}}), EngineContext())
