"""A candidate: short forms, YAML files, and no secret in either."""

import pytest

from evalkit.content.candidates import load_candidate
from evalkit.core.candidate import Candidate, SamplingOverride
from evalkit.core.errors import InputError
from tests.content.conftest import Put

CANDIDATE = """\
name: llama-new
engine: openai_http
model: org/llama
revision: 2026-11-01
engine_args: {base_url: "http://localhost:8000/v1", api_key_env: MY_KEY, headers: {X-Team: "${TEAM_TOKEN}"}}
sampling: {temperature: 0.7, max_tokens: 64}
extra_body: {top_k: 5, stop_token: x}
price: {usd_per_million_input: 0.5, as_of: 2026-11-01}
"""
KEY = "sk-abcdefghijklmnopqrstuvwxyz"


def error_of(put: Put, text: str) -> str:
    put("candidates/c.yaml", text)
    with pytest.raises(InputError) as caught:
        load_candidate("candidates/c.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "candidate"),
    [
        ("echo", Candidate(name="echo", engine="echo")),
        (
            "replay:xstest/responses.jsonl.gz#llama2new",
            Candidate(
                name="llama2new",
                engine="replay",
                model="xstest/responses.jsonl.gz",
                engine_args={"system": "llama2new"},
            ),
        ),
        (
            "openai:org/m@2@http://localhost:8000/v1",
            Candidate(
                name="org/m@2",
                engine="openai_http",
                model="org/m@2",
                engine_args={"base_url": "http://localhost:8000/v1"},
            ),
        ),
        ("echo:models/a/", Candidate(name="a", engine="echo", model="models/a/")),
    ],
)
def test_a_short_form_is_a_candidate(put: Put, text: str, candidate: Candidate) -> None:
    assert load_candidate(text) == candidate


def test_a_candidate_is_found_by_name_and_by_path(put: Put) -> None:
    put("candidates/new.yaml", CANDIDATE)
    candidate = load_candidate("new")
    assert candidate == load_candidate("candidates/new.yaml")
    assert candidate.revision == "2026-11-01"
    assert candidate.sampling == SamplingOverride(temperature=0.7, max_tokens=64)
    assert candidate.price is not None
    assert candidate.price.as_of.isoformat() == "2026-11-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vlm:./new", 'engine "vlm" is not known.'),
        (
            "replay:responses.jsonl",
            'candidate "replay:responses.jsonl" does not say whose answers: expected replay:FILE#',
        ),
        ("openai:m", 'candidate "openai:m" does not say where its server is: expected openai:MODEL@URL'),
        ("nobody", 'candidate "nobody" is not known.'),
        ("candidates/nobody.yaml", 'there is no file or folder "candidates/nobody.yaml".'),
    ],
)
def test_what_is_no_candidate_is_said_with_the_forms_there_are(put: Put, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_candidate(text)
    assert str(caught.value).startswith(message)


def test_an_unknown_name_is_said_with_the_forms_there_are(put: Put) -> None:
    put("candidates/llama-new.yaml", CANDIDATE)
    with pytest.raises(
        InputError, match=r'Did you mean "llama-new"\?.* A candidate is a YAML file, a name in candidates/'
    ):
        load_candidate("llama-nwe")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("engine: openai_http", "engine: openai_htp", '2:9: engine "openai_htp" is not known. Did you mean "openai_'),
        ("usd_per_million_input: 0.5", "usd_per_million_input: -1", "8:32: `usd_per_million_input` is -1; expected"),
        ("as_of: 2026-11-01", "as_of: soon", '8:44: `as_of` is "soon"; expected a day as YYYY-MM-DD.'),
        (", as_of: 2026-11-01", "", "8:8: `as_of` is missing here: The day the price was true."),
        ("temperature: 0.7", "temperature: -1", "6:25: `temperature` is -1; expected a number of at least 0."),
        ("model: org/llama", "model: [a]", "3:8: `model` is a list; expected text."),
    ],
)  # fmt: skip
def test_a_slip_is_said_with_its_place_and_mend(put: Put, old: str, new: str, message: str) -> None:
    assert old in CANDIDATE
    assert error_of(put, CANDIDATE.replace(old, new)).startswith(f"candidates/c.yaml:{message}")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (f"api_key: {KEY}", "9:10"),
        ("extra_body_2: {api-key: short}", "9:25"),
        ("engine_args: {headers: {Authorization: Basic abc}}", "5:40"),
        ("engine_args: {headers: {X-Team: Bearer abc}}", "5:33"),
        (f"engine_args: {{api_key_env: {KEY}}}", "5:28"),
        ("engine_args: {base_url: 'http://me:pass@host/v1'}", "5:25"),
        ("engine_args: {token: abc}", "5:22"),
        (f"tools: [{{note: 'use {KEY}'}}]", "9:16"),
    ],
)
def test_a_secret_is_refused_with_the_mend_and_never_repeated(put: Put, line: str, place: str) -> None:
    lines = [known for known in CANDIDATE.splitlines() if known.split(":")[0] != line.split(":")[0]]
    lines.insert(4 if line.startswith("engine_args") else len(lines), line)
    message = error_of(put, "\n".join(lines))
    assert message.startswith(f"candidates/c.yaml:{place}: `")
    assert "looks like a key or a password (not shown)" in message
    assert "api_key_env" in message
    assert not any(secret in message for secret in (KEY, "short", "Basic abc", "me:pass", "Bearer"))


def test_a_password_in_a_short_form_is_refused_and_not_repeated(put: Put) -> None:
    with pytest.raises(InputError) as caught:
        load_candidate("openai:m@https://me:letmein@host/v1")
    assert "letmein" not in str(caught.value)
    assert "api_key_env" in str(caught.value)
