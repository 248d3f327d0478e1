"""Handle what ends at nearly the same time in one go, and let nobody go on before its own part is handled.

A worker that waits for its answer to be on file still holds its place, so that a kill loses no more than what is in
flight. Many answers encoded, written and scored one after the other cost half of what each costs by itself between two
others: the code and the data stay in the processor's cache.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST_WAIT_S = 0.002
"""How long one waits for others: nothing beside the time that a model takes."""


class Group(Generic[T]):
    """Gathers what workers hand in. Belongs to one event loop; whoever made it calls `flush` at the end."""

    def __init__(self, handle: Callable[[list[T]], None], workers: int, wait: bool = True):
        """workers: how many may wait at once; when all do, nothing more can come. wait: for more than what ends in one
        round of the loop.
        """
        self._handle = handle
        self._workers = workers
        self._wait_s = LONGEST_WAIT_S if wait else 0.0
        self._gathered: list[T] = []
        self._handled: asyncio.Future[None] | None = None

    async def add(self, one: T) -> None:
        """Return when it is handled. Raises what handling it, or one of the others, raises."""
        self._gathered.append(one)
        if self._handled is None:
            loop = asyncio.get_running_loop()
            self._handled = loop.create_future()
            if self._workers > 1:
                loop.call_later(self._wait_s, self._handle_group, self._handled)
        handled = self._handled
        if len(self._gathered) >= self._workers:
            self._handle_group(handled)
        await handled

    def flush(self) -> None:
        """Handle what waits, whoever was waiting for it: a run that is stopped keeps what has ended."""
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._handle(gathered)

    def _handle_group(self, handled: "asyncio.Future[None]") -> None:
        """Handle the group that this future stands for, unless it was handled already."""
        if handled is not self._handled:
            return
        self._handled = None
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            if not handled.done():
                handled.set_exception(error)
        else:
            if not handled.done():
                handled.set_result(None)
