"""Keep an engine busy: as many pieces of work under way as it wants, each taken from a stream when one ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_PIECES_IN_A_ROW = 16
"""After so many a worker lets others run: engines that never wait must still let an interrupt through."""


async def keep_in_flight(work: Iterable[T], do: Callable[[T], Awaitable[None]], concurrency: int) -> None:
    """Do every piece of work, at most `concurrency` at once, reading the stream only as fast as work ends.

    The first exception stops everything and is raised as it is.
    """
    stream: Iterator[T] = iter(work)

    async def worker() -> None:
        for number, piece in enumerate(stream, start=1):
            await do(piece)
            if number % _PIECES_IN_A_ROW == 0:
                await asyncio.sleep(0)

    await together(*(worker() for _ in range(max(1, concurrency))))


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it side by side. The first exception stops the rest and is raised as it is."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
