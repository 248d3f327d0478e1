"""Keys and header values reach the server, and nothing else."""

import asyncio
import json
import logging
from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import Key, Request
from evalkit.core.response import Response
from evalkit.engines.base import EngineContext, model_identity
from evalkit.engines.http_secrets import Secrets
from evalkit.engines.openai_http import OpenAIHttpEngine
from tests.servers import Answer, Fault, ModelServer

KEY = "sk-1234567890abcdef"
TOKEN = "team-token-4711"
REQUEST = Request(key=Key(task="t", sample_id="s"), messages=(Message(role="user", content="What is my key?"),))


def respond(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, **engine_args: Any
) -> tuple[Response, dict[str, str]]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("TEAM_TOKEN", TOKEN)
    engine_args = {"base_url": server.base_url, "headers": {"X-Team": "${TEAM_TOKEN}"}, "max_retries": 0} | engine_args
    engine = OpenAIHttpEngine(
        Candidate(name="c", engine="openai_http", model="m", engine_args=engine_args), EngineContext()
    )

    async def run() -> Response:
        await engine.start()
        try:
            return await engine.respond(REQUEST)
        finally:
            await engine.close()

    return asyncio.run(run()), engine.served


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_repeats_them_does_not_hold_them(
    stream: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = f"your key is {KEY}, your team {TOKEN}"
    call = {"id": KEY, "function": {"name": "f", "arguments": json.dumps({"key": KEY})}}
    answer = Answer(told, message={"reasoning_content": told, "tool_calls": [call]}, top={"system_fingerprint": TOKEN})
    with ModelServer(lambda body: answer) as server:
        response, served = respond(server, monkeypatch, stream=stream)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert server.headers[0]["X-Team"] == TOKEN
    assert response.text == "your key is [hidden], your team [hidden]"
    kept = response.model_dump_json() + json.dumps(served) + caplog.text
    assert KEY not in kept
    assert TOKEN not in kept


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("body", ['{"error": {"message": "Bearer %s of %s is refused"}}', "Bearer %s %s, no JSON"])
def test_an_error_that_repeats_them_does_not_hold_them(status: int, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(faults=[Fault("status", status, body=body % (KEY, TOKEN))]) as server:
        try:
            said = respond(server, monkeypatch)[0].model_dump_json()
        except InputError as error:
            said = str(error)
    assert KEY not in said
    assert TOKEN not in said


def test_a_key_that_a_server_repeats_in_part_is_hidden() -> None:
    said = Secrets([KEY]).hide("Incorrect API key provided: sk-12***********cdef. See the docs.")
    assert said == "Incorrect API key provided: [hidden] See the docs."


def test_a_long_message_is_shortened_after_hiding() -> None:
    said = Secrets([KEY]).hide("x" * 290 + KEY)
    assert len(said) <= 300
    assert "sk-" not in said


def test_a_short_header_value_is_a_word_in_an_answer_and_hidden_in_an_error() -> None:
    secrets = Secrets(["eu"])
    assert secrets.hide_keys("Europe, eu") == "Europe, eu"
    assert secrets.hide("region eu is down") == "region [hidden] is down"


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    assert Secrets(["sk-12345678", "sk-1234567890"]).hide_keys("sk-1234567890") == "[hidden]"


def test_without_secrets_everything_stays() -> None:
    assert Secrets([]).hide_keys({"a": ["b", 1, None]}) == {"a": ["b", 1, None]}


def test_a_models_identity_does_not_change_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = Candidate(name="c", engine="openai_http", model="m", engine_args={"base_url": "http://localhost/v1"})
    identities = set()
    for key in (KEY, "sk-another-one"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        identities.add(model_identity(OpenAIHttpEngine(candidate, EngineContext()), candidate))
    assert len(identities) == 1


def test_the_address_is_part_of_an_identity_only_where_no_revision_is_declared() -> None:
    def identity(url: str, revision: str | None) -> str:
        made = Candidate(name="c", engine="openai_http", model="m", revision=revision, engine_args={"base_url": url})
        return model_identity(OpenAIHttpEngine(made, EngineContext()), made)

    here, there = "http://localhost:8000/v1", "http://localhost:9000/v1"
    assert identity(here, "r1") == identity(there, "r1") != identity(there, "r2")
    assert identity(here, None) != identity(there, None)
