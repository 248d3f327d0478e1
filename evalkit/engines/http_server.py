"""One server, and finding out whether it is there.

    up       it is asked
    doubted  an attempt found nobody there: it is looked at (GET /models), up to three times
    down     nobody was there each time, or all it said to several requests in a row was 502, 503 or 504: it is left
             out, and looked at again and again, with growing gaps, until it answers

What its requests do meanwhile is decided in http_servers.py.
"""

import asyncio
import random
import time
from collections.abc import Coroutine, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from evalkit.engines.http_fault import Fault

LOOKS_IN_DOUBT = 3
"""So often in a row nobody must be there: where one connection in a hundred is lost, no server is gone."""

REFUSALS_IN_A_ROW = 5
"""So many 502, 503 or 504, of at least two requests, with nothing else between: one request alone may be what it cannot
answer.
"""

SLOW_REFUSAL_S = 10.0
"""A 504 that took longer says that a gateway lost patience with one long answer, not that nothing is there."""


class State(IntEnum):
    """How far a server is to be asked, the best first."""

    UP = 0
    DOUBTED = 1
    DOWN = 2


@dataclass(frozen=True)
class Pause:
    """How patiently a server that does not answer is waited for."""

    down_timeout_s: float
    """How long requests wait while no server answers, before the run ends."""
    first_gap_s: float = 1.0
    longest_gap_s: float = 15.0
    """The gap between two looks doubles up to this; a server that says Retry-After is believed beyond it."""
    jitter: random.Random = field(default_factory=random.Random)
    """Spreads the looks of several runs at one server. No result depends on it."""

    def gap_s(self, number: int) -> float:
        """Seconds before the look of this number, from 0."""
        gap_s = min(self.first_gap_s * 2.0 ** min(number, 30), self.longest_gap_s)
        return gap_s * (0.5 + 0.5 * self.jitter.random())


class Group(Protocol):
    """The servers of a candidate, as one of them sees it."""

    def begin(self, watch: Coroutine[Any, Any, None]) -> None:
        """Keep a watch going until it ends or the group is closed."""

    def changed(self, server: "Server") -> None:
        """A server is down, or up again after it was."""

    async def look(self, base_url: str) -> str | None:
        """Why nobody is there, in words; None = somebody is."""

    def let_one_through(self, server: "Server") -> bool:
        """Let one request that waits ask this server, though it is down; False = none waits."""


class Server:
    """Where it is, and what is known of it."""

    def __init__(self, base_url: str, group: Group, pause: Pause):
        self.base_url = base_url
        self.in_flight = 0
        self.state = State.UP
        self.reason = ""
        """Why it is doubted or down, in words."""
        self.down_since_s = 0.0
        """On time.monotonic."""
        self._group, self._pause = group, pause
        self._leave_alone_s = 0.0
        self._refusals = 0
        """502, 503 and 504 since it last answered anything else, and which requests got them."""
        self._refused: set[Hashable] = set()
        self._settled = asyncio.Event()
        self._trial: asyncio.Future[str | None] | None = None

    def answered(self) -> None:
        """Something came back that only a server at work says."""
        if self.state is State.UP and not self._refusals:
            return
        was_down = self.state is State.DOWN
        self.state, self._refusals, self._leave_alone_s = State.UP, 0, 0.0
        self._refused.clear()
        self._end_trial(None)
        self._settled.set()
        if was_down:
            self._group.changed(self)

    def failed(self, fault: Fault) -> None:
        """An attempt came to nothing, but somebody was there, or may have been."""
        if fault.status is not None:
            self.answered()
        else:
            self._end_trial(None)

    def doubt(self, fault: Fault, request: Hashable) -> None:
        """An attempt found nobody there."""
        if fault.status is not None and fault.took_s < SLOW_REFUSAL_S:
            self._refusals += 1
            self._refused.add(request)
        self._leave_alone_s = fault.retry_after_s or 0.0
        if self.state is State.UP:
            self.state, self.reason = State.DOUBTED, fault.message
            self._settled.clear()
            self._group.begin(self._watch())
        else:
            self._end_trial(fault.message)

    def give_up(self) -> None:
        """Nobody looks at it any more: what waits for that is not to wait for ever."""
        self.state = State.DOWN
        self._settled.set()
        self._end_trial(None)

    async def settled(self) -> None:
        """Wait until it is no longer doubted."""
        if self.state is State.DOUBTED:
            await self._settled.wait()

    def leave_out(self, reason: str) -> None:
        """It is down from the start."""
        self._set_down(reason)
        self._group.begin(self._watch_down())

    @property
    def refuses_all(self) -> bool:
        """Whether it is there, and says to everything that nothing ready stands behind it."""
        return self._refusals >= REFUSALS_IN_A_ROW and len(self._refused) > 1

    async def _watch(self) -> None:
        reason = None
        for number in range(LOOKS_IN_DOUBT):
            await asyncio.sleep(number * self._pause.gap_s(0) / 4)
            reason = await self._group.look(self.base_url)
            if self.state is not State.DOUBTED:
                return
            if reason is None:
                break
        if reason is None and not self.refuses_all:
            self.state = State.UP  # its refusals stay counted until it answers
            self._settled.set()
            return
        self._set_down(reason or self.reason)
        await self._watch_down()

    async def _watch_down(self) -> None:
        number = 0
        while self.state is State.DOWN:
            await asyncio.sleep(max(self._pause.gap_s(number), self._leave_alone_s))
            reason = await self._group.look(self.base_url)
            if reason is None and self.refuses_all:
                reason = await self._try_one()
            if reason is None:
                self.answered()
            else:
                self.reason = reason
            number += 1

    async def _try_one(self) -> str | None:
        """Why a request that waited was refused like the others; None = it was not."""
        self._trial = asyncio.get_running_loop().create_future()
        return await self._trial if self._group.let_one_through(self) else None

    def _end_trial(self, reason: str | None) -> None:
        if self._trial is not None and not self._trial.done():
            self._trial.set_result(reason)

    def _set_down(self, reason: str) -> None:
        self.state, self.reason, self.down_since_s = State.DOWN, reason, time.monotonic()
        self._settled.set()
        self._group.changed(self)
