"""The thread that owns a model, with workers that are simple and real."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from evalkit.engines.engine_thread import EngineThread
from evalkit.engines.request_fault import RequestFault


class Shouting:
    """Answers each request in upper case after `steps` steps; the ask "die" is its death, "no" is refused."""

    def __init__(self, steps: int = 1) -> None:
        self.steps, self.under_way, self.batches = steps, dict[str, tuple[str, int]](), list[int]()
        self.dropped: list[str] = []
        self.stopped = False
        self.thread = threading.current_thread().name

    def add(self, request_id: str, ask: str) -> None:
        if ask == "no":
            raise RequestFault("refused", "no means no")
        self.under_way[request_id] = (ask, self.steps)

    def drop(self, request_id: str) -> None:
        self.dropped.append(request_id)
        self.under_way.pop(request_id, None)

    def is_busy(self) -> bool:
        return bool(self.under_way)

    def step(self) -> list[tuple[str, str]]:
        self.batches.append(len(self.under_way))
        if any(ask == "die" for ask, _ in self.under_way.values()):
            raise RuntimeError("a long story\nout of memory")
        time.sleep(0.001)
        self.under_way = {name: (ask, left - 1) for name, (ask, left) in self.under_way.items()}
        done = [(name, ask.upper()) for name, (ask, left) in self.under_way.items() if left == 0]
        for name, _ in done:
            del self.under_way[name]
        return done

    def stop(self) -> None:
        self.stopped = True


def with_worker(worker: Shouting, do: Callable[[EngineThread[str, str]], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        thread = EngineThread[str, str](lambda: worker, "model")
        await thread.start()
        try:
            return await do(thread)
        finally:
            await thread.close()
            await thread.close()

    return asyncio.run(asyncio.wait_for(run(), 20))


async def outcome(thread: EngineThread[str, str], ask: str) -> str:
    try:
        return await thread.answer(ask)
    except RequestFault as fault:
        return f"{fault.kind}: {fault}"


def test_every_request_gets_its_own_answer_and_what_is_asked_together_is_begun_together() -> None:
    worker = Shouting()
    asks = [f"a{number}" for number in range(300)]
    answers = with_worker(worker, lambda thread: asyncio.gather(*[thread.answer(ask) for ask in asks]))
    assert answers == [ask.upper() for ask in asks]
    assert worker.batches == [300]
    assert worker.stopped


def test_a_refused_request_fails_alone() -> None:
    answers = with_worker(
        Shouting(), lambda thread: asyncio.gather(*[outcome(thread, ask) for ask in ("a", "no", "b")])
    )
    assert answers == ["A", "refused: no means no", "B"]


def test_a_dead_engine_fails_what_is_under_way_and_what_comes_later_and_nothing_hangs() -> None:
    worker = Shouting(steps=3)

    async def do(thread: EngineThread[str, str]) -> list[str]:
        first = await asyncio.gather(*[outcome(thread, ask) for ask in ("a", "die", "b")])
        return [*first, await outcome(thread, "later")]

    assert with_worker(worker, do) == ["engine_died: the engine died: out of memory"] * 4
    assert worker.stopped


def test_a_caller_that_is_cancelled_takes_its_request_out_of_the_engine() -> None:
    worker = Shouting(steps=10**9)

    async def do(thread: EngineThread[str, str]) -> None:
        task = asyncio.create_task(thread.answer("a"))
        while not worker.under_way:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while worker.under_way:
            await asyncio.sleep(0.01)

    with_worker(worker, do)
    assert worker.dropped == ["0"]


def test_what_goes_wrong_in_loading_is_raised_by_the_start() -> None:
    def fail() -> Shouting:
        raise ValueError("no such model")

    async def run() -> None:
        thread = EngineThread[str, str](fail, "model")
        with pytest.raises(ValueError, match="no such model"):
            await thread.start()
        await thread.close()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_start_that_is_cancelled_leaves_nothing_behind_once_the_model_is_there() -> None:
    worker, may_go_on = Shouting(), threading.Event()

    def slowly() -> Shouting:
        may_go_on.wait(20)
        return worker

    async def run() -> None:
        thread = EngineThread[str, str](slowly, "model")
        starting = asyncio.create_task(thread.start())
        await asyncio.sleep(0.05)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await thread.close()  # at once: what loads cannot be interrupted

    asyncio.run(asyncio.wait_for(run(), 20))
    may_go_on.set()
    deadline = time.monotonic() + 20
    while not worker.stopped and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worker.stopped
