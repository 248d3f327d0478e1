"""The one thread that owns a model, and the way of a request into it and back.

    event loop                          the thread
    answer() -- one message for all -->  worker.add(), worker.add(), ...; worker.step(); worker.step(); ...
             <-- one wake-up of the loop for all that a step finished

A worker is only ever touched by its thread: models are no more thread-safe than what they are made of. What comes out
of `step` as an exception is the engine's death: every request under way and every later one fails, none waits.

Loop and thread take turns: after a step that finished something, the thread waits until the answers are written down
and the next requests are there. Side by side they would fight for Python's one lock, which a model gives up at every
operation and then waits for: measured, that costs more than the turn.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

from evalkit.engines.request_fault import ENGINE_DIED, RequestFault, one_line

Ask = TypeVar("Ask", contravariant=True)
Answer = TypeVar("Answer")
A = TypeVar("A")
B = TypeVar("B")


class Worker(Protocol[Ask, Answer]):
    """A model that answers many requests a step at a time."""

    def add(self, request_id: str, ask: Ask) -> None:
        """Take a request. Raises RequestFault for one that it will not take."""

    def drop(self, request_id: str) -> None:
        """Forget a request that nobody waits for any more; one that is unknown is none."""

    def is_busy(self) -> bool:
        """Whether a step would do something."""
        ...

    def step(self) -> list[tuple[str, Answer]]:
        """Go on with what was taken, and hand back what is finished."""
        ...

    def stop(self) -> None:
        """Give everything back."""


LONGEST_TURN_S = 0.25
"""How long the thread waits for the event loop after a step: a loop that does something else must not stop it."""

_LOOP_ROUNDS = 6
"""Rounds of the loop until an answer has become the next request: its task wakes, the group that it ends with is
written, the task goes on and asks."""


@dataclass(frozen=True)
class _Asks(Generic[A]):
    """What was asked in one round of the event loop: (request id, ask)."""

    asks: list[tuple[str, A]]


@dataclass(frozen=True)
class _Drop:
    request_id: str


@dataclass(frozen=True)
class _Stop:
    """The last message."""


class EngineThread(Generic[A, B]):
    """Makes a worker on a thread of its own and keeps it busy. All methods belong to one event loop."""

    def __init__(self, make: Callable[[], Worker[A, B]], name: str):
        """make: loads the model; called on the thread."""
        self._make = make
        self._inbox: SimpleQueue[_Asks[A] | _Drop | _Stop] = SimpleQueue()
        self._asked: list[tuple[str, A]] = []
        self._turn_is_over = threading.Event()
        self._waiting: dict[str, asyncio.Future[B]] = {}
        self._ids = count()
        self._died = ""
        self._worker: Worker[A, B] | None = None
        self._loop: asyncio.AbstractEventLoop
        self._ready: asyncio.Future[None]
        self._ended: asyncio.Event
        # A daemon: a model that is still being loaded cannot be interrupted, and must not keep the command from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    async def start(self) -> None:
        """Load the model. Raises what loading raised."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._ready = self._loop.create_future()
        self._thread.start()
        await self._ready

    async def answer(self, ask: A) -> B:
        """The answer. Raises RequestFault; a caller that is cancelled takes its request out of the engine."""
        if self._died:
            raise RequestFault(ENGINE_DIED, self._died)
        request_id = str(next(self._ids))
        future: asyncio.Future[B] = self._loop.create_future()
        self._waiting[request_id] = future
        if not self._asked:
            self._loop.call_soon(self._send)
        self._asked.append((request_id, ask))
        try:
            return await future
        except asyncio.CancelledError:
            if self._waiting.pop(request_id, None) is not None:
                self._send()
                self._inbox.put(_Drop(request_id))
            raise

    async def close(self) -> None:
        """Stop the worker and wait until it is gone, unless it is still being loaded: then it goes once it is there."""
        if not self._thread.ident:
            return
        self._inbox.put(_Stop())
        if self._ready.done() and not self._ready.cancelled():
            await self._ended.wait()
            self._thread.join()

    def _send(self) -> None:
        """Send what was asked in this round of the loop, so that the model begins with all of it."""
        if self._asked:
            self._inbox.put(_Asks(self._asked))
            self._asked = []

    def _run(self) -> None:
        try:
            worker = self._worker = self._make()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the start, whatever it is
            self._tell(self._not_ready, error)
            return
        self._tell(self._is_ready)
        try:
            self._serve(worker)
        except Exception as error:  # noqa: BLE001 - the boundary: a dead engine fails its requests, not the run
            self._tell(self._die, f"the engine died: {one_line(error)}")
        finally:
            self._worker = None
            try:
                worker.stop()
            finally:
                self._tell(self._is_ended)

    def _serve(self, worker: Worker[A, B]) -> None:
        while self._take(worker):
            if worker.is_busy():
                finished: list[tuple[str, B | RequestFault]] = list(worker.step())
                if finished:
                    self._turn_is_over.clear()
                    self._tell(self._settle, finished)
                    self._turn_is_over.wait(LONGEST_TURN_S)

    def _take(self, worker: Worker[A, B]) -> bool:
        """Hand all that came to the worker, waiting only when it has nothing to do; False = it is to stop."""
        refused: list[tuple[str, B | RequestFault]] = []
        going_on = True
        with suppress(Empty):
            while going_on:
                message = self._inbox.get(block=not worker.is_busy() and not refused)
                if isinstance(message, _Asks):
                    for request_id, ask in message.asks:
                        try:
                            worker.add(request_id, ask)
                        except RequestFault as fault:
                            refused.append((request_id, fault))
                elif isinstance(message, _Drop):
                    worker.drop(message.request_id)
                else:
                    going_on = False
        if refused:
            self._tell(self._settle, refused)
        return going_on

    def _tell(self, do: Callable[..., None], *arguments: object) -> None:
        """Have the event loop do something; one that has ended waits for nothing."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(do, *arguments)

    def _is_ready(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _not_ready(self, error: BaseException) -> None:
        if not self._ready.done():
            self._ready.set_exception(error)
        self._ended.set()

    def _is_ended(self) -> None:
        self._ended.set()

    def _settle(self, finished: list[tuple[str, B | RequestFault]]) -> None:
        for request_id, outcome in finished:
            future = self._waiting.pop(request_id, None)
            if future is None or future.done():
                continue
            if isinstance(outcome, RequestFault):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._loop.call_soon(self._end_turn, _LOOP_ROUNDS)

    def _end_turn(self, rounds: int) -> None:
        """Tell the thread once everything that its answers have set going has had its turn."""
        if rounds > 1:
            self._loop.call_soon(self._end_turn, rounds - 1)
        else:
            self._turn_is_over.set()

    def _die(self, message: str) -> None:
        self._died = message
        self._settle([(request_id, RequestFault(ENGINE_DIED, message)) for request_id in list(self._waiting)])
