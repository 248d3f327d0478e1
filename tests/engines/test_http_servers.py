"""Servers that go and come back, and several behind one candidate."""

import asyncio
import random
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.errors import EngineLost, InputError
from evalkit.core.response import Response
from evalkit.engines.base import EngineContext, model_identity
from evalkit.engines.openai_http import OpenAIHttpEngine
from tests.engines.http_asking import ask, open_engine, respond
from tests.servers import Fault, ModelServer


class Told:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    @property
    def context(self) -> EngineContext:
        return EngineContext(say=self.sentences.append)

    async def wait_for(self, words: str) -> None:
        while not any(words in sentence for sentence in self.sentences):
            await asyncio.sleep(0.005)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def stop(server: ModelServer) -> None:
    server.stop()
    server.wait()


def run(engine: OpenAIHttpEngine, do: Callable[[], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        await engine.start()
        try:
            return await asyncio.wait_for(do(), 60)
        finally:
            await engine.close()

    return asyncio.run(whole())


@pytest.mark.parametrize("max_retries", [0, 5])
def test_while_a_server_is_gone_requests_wait_and_none_is_lost(max_retries: int) -> None:
    told = Told()
    first = ModelServer()
    with first:
        engine = open_engine(first.base_url, context=told.context, max_retries=max_retries, concurrency=8)

        async def do() -> list[Response]:
            assert (await engine.respond(ask("before"))).failure is None
            stop(first)
            asked = [asyncio.create_task(engine.respond(ask(str(number)))) for number in range(20)]
            await told.wait_for("does not answer")
            with ModelServer(port=first.port) as second:
                answers = await asyncio.gather(*asked)
                assert len(second.bodies) == 20
                return answers

        answers = run(engine, do)
    assert [answer.text for answer in answers] == [str(number) for number in range(20)]
    assert len(told.sentences) == 2
    assert told.sentences[0] == (
        f"{first.base_url} does not answer (connection refused): waiting, asking again every 0.05 to 0.1 s, "
        "at most 600 s; Ctrl-C keeps everything finished"
    )
    assert re.fullmatch(rf"{re.escape(first.base_url)} answers again after \d+ s", told.sentences[1])


def test_requests_under_way_when_a_server_is_killed_are_asked_again() -> None:
    told = Told()
    first = ModelServer(latency_s=60)
    with first:
        engine = open_engine(first.base_url, context=told.context, max_retries=0)

        async def do() -> list[Response]:
            asked = [asyncio.create_task(engine.respond(ask(str(number)))) for number in range(5)]
            while first.most_in_flight < 5:
                await asyncio.sleep(0.005)
            stop(first)
            await told.wait_for("does not answer")
            with ModelServer(port=first.port):
                return await asyncio.gather(*asked)

        assert [answer.failure for answer in run(engine, do)] == [None] * 5


@pytest.mark.parametrize("models_too", [True, False], ids=["everything", "completions"])
def test_a_gateway_with_nothing_behind_it_is_waited_for(models_too: bool) -> None:
    told = Told()
    gone = not models_too
    with ModelServer(faults=lambda body, number: Fault("status", 503) if gone else None) as server:
        engine = open_engine(server.base_url, context=told.context, max_retries=2)

        async def do() -> list[Response]:
            nonlocal gone
            server.unready = models_too
            asked = [asyncio.create_task(engine.respond(ask(str(number)))) for number in range(8)]
            await told.wait_for("does not answer (HTTP 503")
            await asyncio.sleep(0.3)
            asked_meanwhile = len(server.bodies)
            server.unready = gone = False
            answers = await asyncio.gather(*asked)
            assert asked_meanwhile < 8 * 3
            return answers

        assert [answer.failure for answer in run(engine, do)] == [None] * 8
    assert len(told.sentences) == 2


def test_one_request_that_always_gets_503_is_its_own_failure_and_no_server_is_gone() -> None:
    told = Told()
    with ModelServer(faults=lambda body, number: Fault("status", 503)) as server:
        [answer] = respond(open_engine(server.base_url, context=told.context, max_retries=8), ask())
    assert answer.failure is not None
    assert answer.failure.kind == "http_503"
    assert len(server.bodies) == 9
    assert told.sentences == []


def test_a_request_that_one_server_resets_is_asked_of_another() -> None:
    with ModelServer(faults=lambda body, number: Fault("reset")) as broken, ModelServer() as other:
        engine = open_engine([broken.base_url, other.base_url], max_retries=0)
        answers = respond(engine, *[ask(str(number)) for number in range(4)])
    assert [answer.failure for answer in answers] == [None] * 4


def test_a_request_that_every_server_resets_is_lost_in_the_end() -> None:
    def fault(body: dict[str, Any], number: int) -> Fault:
        return Fault("reset")

    with ModelServer(faults=fault) as first, ModelServer(faults=fault) as second:
        [answer] = respond(open_engine([first.base_url, second.base_url], max_retries=1), ask())
    assert answer.failure is not None
    assert (answer.failure.blame, answer.failure.kind) == ("system", "connection")


def test_a_server_that_stays_away_ends_the_run_and_says_so() -> None:
    told = Told()
    first = ModelServer()
    with first:
        engine = open_engine(first.base_url, context=told.context, down_timeout_s=0.3)

        async def do() -> None:
            stop(first)
            await asyncio.gather(*[engine.respond(ask(str(number))) for number in range(5)])

        with pytest.raises(EngineLost) as lost:
            run(engine, do)
    assert str(lost.value) == (
        f"{first.base_url} does not answer (connection refused), 0.3 s long (engine_args.down_timeout_s). "
        "What is finished is kept."
    )
    assert lost.value.exit_code == 4
    assert len(told.sentences) == 1


def test_an_ordinary_mix_of_faults_starts_no_pause_and_loses_nothing() -> None:
    drawn = random.Random(7)

    def fault(body: dict[str, Any], number: int) -> Fault | None:
        share = drawn.random()
        for kind, limit in (
            (Fault("status", 500), 0.05),
            (Fault("status", 429, {"Retry-After": "0"}), 0.10),
            (Fault("reset"), 0.11),
            (Fault("cut_body"), 0.12),
            (Fault("hang"), 0.13),
        ):
            if share < limit:
                return kind
        return None

    told = Told()
    with ModelServer(faults=fault) as server:
        engine = open_engine(server.base_url, context=told.context, attempt_timeout_s=0.5, max_retries=8)
        answers = respond(engine, *[ask(str(number)) for number in range(1500)])
    assert [answer.text for answer in answers] == [str(number) for number in range(1500)]
    assert told.sentences == []


def test_several_servers_share_the_requests_and_all_of_them_are_served() -> None:
    with ModelServer(latency_s=0.01) as first, ModelServer(latency_s=0.01) as second:
        urls = [first.base_url, second.base_url]
        engine = open_engine(urls, concurrency=4)
        answers = respond(engine, *[ask(str(number)) for number in range(40)])
    assert all(answer.failure is None for answer in answers)
    assert (len(first.bodies), len(second.bodies)) == (20, 20)
    assert first.most_in_flight + second.most_in_flight <= 4
    assert engine.served == {"base_url": ", ".join(urls)}


def test_the_server_with_the_fewest_in_flight_is_asked() -> None:
    with ModelServer(latency_s=0.5) as slow, ModelServer() as quick:
        engine = open_engine([slow.base_url, quick.base_url], concurrency=2)

        async def do() -> None:
            held = asyncio.create_task(engine.respond(ask("held")))
            await asyncio.sleep(0.1)
            for number in range(10):
                await engine.respond(ask(str(number)))
            await held

        run(engine, do)
    assert (len(slow.bodies), len(quick.bodies)) == (1, 10)


def test_a_server_that_goes_is_left_out_and_asked_again_when_it_is_back() -> None:
    told = Told()
    first = ModelServer()
    with first, ModelServer() as second:
        engine = open_engine([first.base_url, second.base_url], context=told.context, max_retries=0)

        async def do() -> int:
            stop(first)
            answers = await asyncio.gather(*[engine.respond(ask(str(number))) for number in range(10)])
            assert [answer.failure for answer in answers] == [None] * 10
            await told.wait_for(f"{first.base_url} does not answer (connection refused): the others are asked")
            with ModelServer(port=first.port) as back:
                await told.wait_for(f"{first.base_url} answers again")
                await asyncio.gather(*[engine.respond(ask(str(number))) for number in range(10)])
                return len(back.bodies)

        assert run(engine, do) == 5


def test_a_server_that_is_not_there_at_the_start_is_left_out_and_one_is_enough() -> None:
    told = Told()
    with ModelServer() as server:
        nobody = f"http://127.0.0.1:{free_port()}/v1"
        answers = respond(
            open_engine([nobody, server.base_url], context=told.context), *[ask(str(n)) for n in range(6)]
        )
    assert len(server.bodies) == 6
    assert all(answer.failure is None for answer in answers)
    assert told.sentences[0].startswith(f"{nobody} does not answer (connection refused): the others are asked")


def test_no_server_at_all_is_said_of_each() -> None:
    urls = [f"http://127.0.0.1:{free_port()}/v1" for _ in range(2)]
    with pytest.raises(InputError, match=r"no server answers at .* and at .*connection refused.*mend"):
        respond(open_engine(urls))


def test_a_request_of_a_measured_load_does_not_wait_for_a_server() -> None:
    first = ModelServer()
    with first:
        engine = open_engine(first.base_url)

        async def do() -> Response:
            stop(first)
            return await engine.respond(ask(send_at_s=0.0))

        assert run(engine, do).failure is not None


def test_how_long_a_server_is_waited_for_is_no_part_of_a_models_identity() -> None:
    identities = set()
    for patience in ({}, {"down_timeout_s": 5, "max_answer_mib": 1}):
        arguments = {"base_url": ["http://a/v1", "http://b/v1"], **patience}
        candidate = Candidate(name="c", engine="openai_http", model="m", engine_args=arguments)
        identities.add(model_identity(OpenAIHttpEngine(candidate, EngineContext()), candidate))
    assert len(identities) == 1
