"""Limits: a run ends by itself, says why, keeps what is finished, and can be gone on with."""

import asyncio
import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.cli.app import run_command
from evalkit.core.candidate import Candidate, Price
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.price import cost_by_tokens, most_cost_by_tokens
from evalkit.core.request import Key, Request, Sampling
from evalkit.core.response import Usage
from evalkit.runner.meter import LimitReached, Limits, Meter, read_duration
from tests.runner.suites import write_suite
from tests.servers import Answer, Fault, ModelServer

PRICE = Price(usd_per_million_input=1000, usd_per_million_output=100_000, as_of=date(2026, 11, 1))
CANDIDATE = """\
name: priced
engine: openai_http
model: m
engine_args: {{base_url: "{url}", concurrency: 4, max_retries: 0}}
price: {{usd_per_million_input: 1000, usd_per_million_output: 100000, as_of: 2026-11-01}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_suite(tmp_path / "suite", 40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifest_of(folder: Path) -> dict:
    (path,) = folder.glob("runs/*/manifest.json")
    return json.loads(path.read_text())


def run(folder: Path, url: str, *more: str) -> int:
    (folder / "priced.yaml").write_text(CANDIDATE.format(url=url))
    return run_command("run", ["suite", "--candidate", "priced.yaml", *more])


def test_a_limit_in_money_is_never_passed_and_the_run_goes_on_from_there(folder, capsys):
    said = Answer("1", top={"usage": {"prompt_tokens": 10, "completion_tokens": 5}})  # 0.51 dollars
    with ModelServer(reply=lambda body: said, latency_s=0.02) as server:
        assert run(folder, server.base_url, "--max-cost-usd", "6") == 4
        told = capsys.readouterr().err
        asked = len(server.bodies)
        # The dearest request is 1.7 dollars: while that might still come, less than the limit is spent.
        assert 6 - 1.8 < asked * 0.51 <= 6
        assert "--max-cost-usd 6" in told
        assert "--resume" in told
        manifest = manifest_of(folder)
        assert manifest["status"] == "incomplete"
        assert manifest["counts"]["responses"] == asked
        assert run(folder, server.base_url, "--resume") == 0
        assert len(server.bodies) == 40, "what was answered was asked again"
    assert manifest_of(folder)["status"] == "complete"


def test_a_limit_in_money_needs_a_price(folder, capsys):
    with ModelServer() as server:
        assert run_command("run", ["suite", "--candidate", f"openai:m@{server.base_url}", "--max-cost-usd", "1"]) == 2
        assert not server.bodies
    assert "usd_per_million_input" in capsys.readouterr().err


def test_too_many_failures_end_the_run(folder, capsys):
    with ModelServer(faults=lambda body, number: Fault("status", status=500)) as server:
        assert run(folder, server.base_url, "--max-failures", "3") == 4
        assert 4 <= len(server.bodies) <= 4 + 4, "more was asked than what was under way"
    assert "--max-failures 3" in capsys.readouterr().err
    with ModelServer(reply=lambda body: "1", port=server.port):
        assert run(folder, server.base_url, "--resume") == 0


def test_the_time_limit_gives_up_what_hangs_and_keeps_what_came(folder, capsys):
    def hang(body: dict, number: int) -> Fault | None:
        return Fault("hang") if number >= 10 else None

    with ModelServer(reply=lambda body: "1", faults=hang) as server:
        assert run(folder, server.base_url, "--max-time", "1.5s") == 4
        assert "--max-time 1.5 s" in capsys.readouterr().err
        assert manifest_of(folder)["counts"]["responses"] == 10
    with ModelServer(reply=lambda body: "1", port=server.port) as server:
        assert run(folder, server.base_url, "--resume") == 0
        assert len(server.bodies) == 30


@pytest.mark.parametrize("text", ["", "0", "-3", "5d", "abc", "1h30", "nan", "1e3"])
def test_a_time_that_is_none_is_refused_with_the_form_expected(text):
    with pytest.raises(InputError, match=re.escape("90s, 50m or 1.5h")):
        read_duration(text)


@given(
    text=st.text(max_size=200),
    prompt_tokens=st.integers(0, 200),
    output_tokens=st.integers(0, 16),
    cached=st.none() | st.integers(0, 300),
)
def test_no_answer_costs_more_than_was_set_aside_for_it(text, prompt_tokens, output_tokens, cached):
    request = Request(
        key=Key(task="t", sample_id="s"),
        messages=(Message(role="user", content=text),),
        sampling=Sampling(max_tokens=16),
    )
    most = min(prompt_tokens, len(text.encode("utf-8", "surrogatepass")) + 16)
    cost = cost_by_tokens(Usage(prompt_tokens=most, cached_tokens=cached, output_tokens=output_tokens), PRICE)
    assert cost is not None
    assert 0 <= cost <= most_cost_by_tokens(request, PRICE) + 1e-12


def test_a_request_waits_for_money_that_is_only_set_aside():
    async def story() -> list[str]:
        meter, order = Meter(Limits(max_cost_usd=1.0)), []
        await meter.reserve(0.9)

        async def second() -> None:
            await meter.reserve(0.5)
            order.append("second")

        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.01)
        order.append("first ends")
        meter.settle(0.9, 0.1)
        await waiting
        meter.settle(0.5, 0.5)
        with pytest.raises(LimitReached):
            await meter.reserve(0.5)
        return order

    assert asyncio.run(story()) == ["first ends", "second"]


def test_an_unknown_cost_counts_as_the_most_it_could_be():
    meter = Meter(Limits(max_cost_usd=1.0))
    meter.settle(0.7, None)
    assert meter.spent_usd == pytest.approx(0.7)


def test_a_candidate_that_costs_nothing_needs_no_price(folder):
    assert run_command("run", ["suite", "--candidate", "echo", "--max-cost-usd", "0.5"]) == 0
    assert Candidate(name="echo", engine="echo").price is None
