"""Keep an engine busy: as many pieces of work under way as it wants, each taken from a stream when one ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


async def keep_in_flight(work: Iterable[T], do: Callable[[T], Awaitable[None]], concurrency: int) -> None:
    """Do every piece of work, at most `concurrency` at once, reading the stream only as fast as work ends.

    The first exception stops everything and is raised as it is.
    """
    stream: Iterator[T] = iter(work)

    async def worker() -> None:
        for piece in stream:
            await do(piece)
            await asyncio.sleep(0)  # engines that never wait must still let an interrupt through

    tasks = [asyncio.create_task(worker()) for _ in range(max(1, concurrency))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
