"""Groups: what ends together is handled together, and nobody goes on before."""

import asyncio

import pytest

from evalkit.core.errors import InputError
from evalkit.runner.group import Group


def test_nobody_goes_on_before_its_own_is_handled_and_all_of_it_is_handled_once():
    handled: list[list[int]] = []

    async def story() -> None:
        group = Group(handled.append, workers=8)

        async def work(number: int) -> None:
            for turn in range(20):
                await asyncio.sleep(0.0001 * (number % 3))
                await group.add(100 * number + turn)
                assert any(100 * number + turn in done for done in handled)

        await asyncio.gather(*(work(number) for number in range(8)))

    asyncio.run(story())
    flat = [one for done in handled for one in done]
    assert sorted(flat) == sorted(100 * number + turn for number in range(8) for turn in range(20))
    assert len(handled) < len(flat), "nothing was gathered"


def test_one_worker_never_waits_for_others():
    async def story() -> None:
        handled: list[list[str]] = []
        group = Group(handled.append, workers=1)
        async with asyncio.timeout(0.5):
            for _ in range(200):
                await group.add("done")
        assert len(handled) == 200

    asyncio.run(story())


def test_what_handling_raises_reaches_all_who_wait():
    def refuse(group: list[int]) -> None:
        raise InputError("the disk is full")

    async def story() -> list[BaseException | None]:
        group = Group(refuse, workers=3)
        return await asyncio.gather(*(group.add(number) for number in range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(story())] == ["the disk is full"] * 3


def test_what_still_waits_when_a_run_is_stopped_is_kept():
    handled: list[int] = []

    async def story() -> None:
        group = Group(handled.extend, workers=64)
        waiting = asyncio.create_task(group.add(1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        group.flush()
        await asyncio.sleep(0.01)  # the timer of the group still comes, and finds nothing

    asyncio.run(story())
    assert handled == [1]
