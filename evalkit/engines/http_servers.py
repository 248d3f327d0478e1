"""Which of a candidate's servers is asked, and what requests do while none answers.

Of the servers that answer, the one with the fewest requests in flight is asked, ties by turn. While every server is
down (http_server.py), requests wait, and use up none of their attempts. That is said once when it begins and once when
it ends; when it has lasted `down_timeout_s`, EngineLost ends the run.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import replace
from typing import Any

from evalkit.core.errors import EngineLost
from evalkit.engines.http_fault import Fault
from evalkit.engines.http_server import Pause, Server, State


class Servers:
    """The servers of one candidate. `close` ends whatever looks at them."""

    def __init__(
        self,
        base_urls: tuple[str, ...],
        look: Callable[[str], Awaitable[str | None]],
        pause: Pause,
        say: Callable[[str], None],
    ):
        """look: given an address, why nobody is there, in words; None = somebody is."""
        self._servers = [Server(base_url, self, pause) for base_url in base_urls]
        self._look, self._pause, self._say = look, pause, say
        self._turn = 0
        self._waiting: deque[asyncio.Future[Server | None]] = deque()
        self._all_down = False
        self._patience: asyncio.TimerHandle | None = None
        self._error: BaseException | None = None
        self._watches: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End every watch."""
        self._end_patience()
        watches = tuple(self._watches)
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    async def free(self) -> Server:
        """A server to ask, with one more in flight; it waits while all are down. Raises EngineLost after too long."""
        server = await self._wait() if self._all_down else self._best()
        server.in_flight += 1
        return server

    def any_server(self) -> Server:
        """A server to ask now, if it can be one that answers, with one more in flight. Raises EngineLost."""
        if self._error is not None:
            raise self._error
        server = self._best()
        server.in_flight += 1
        return server

    async def unreached(self, server: Server, fault: Fault, request: Hashable) -> Fault:
        """The fault, and whether it counts as an attempt: not when the server is gone, or another one is up."""
        server.doubt(fault, request)
        if any(other.state is State.UP for other in self._servers):
            return replace(fault, counts=False)
        await server.settled()
        return replace(fault, counts=server.state is not State.DOWN)

    def start_without(self, reasons: dict[str, str]) -> None:
        """Servers that do not answer at the start, where others do, and why."""
        for server in self._servers:
            if server.base_url in reasons:
                server.leave_out(reasons[server.base_url])

    def begin(self, watch: Coroutine[Any, Any, None]) -> None:
        """Keep a watch going until it ends or this is closed."""
        task = asyncio.create_task(watch)
        self._watches.add(task)
        task.add_done_callback(self._end_watch)

    def changed(self, server: Server) -> None:
        """Say that a server is down, or up again, and hold requests back, or let them go."""
        if server.state is State.UP:
            self._all_down = False
            self._end_patience()
            self._say(f"{server.base_url} answers again after {time.monotonic() - server.down_since_s:.0f} s")
            self._wake()
            return
        self._all_down = all(other.state is State.DOWN for other in self._servers)
        again = f"asking again every {self._pause.first_gap_s:g} to {self._pause.longest_gap_s:g} s"
        if not self._all_down:
            self._say(f"{server.base_url} does not answer ({server.reason}): the others are asked, {again}")
            return
        limit_s = self._pause.down_timeout_s
        self._patience = asyncio.get_running_loop().call_later(limit_s, lambda: self.begin(self._give_up()))
        self._say(f"{self._told()}: waiting, {again}, at most {limit_s:g} s; Ctrl-C keeps everything finished")

    async def look(self, base_url: str) -> str | None:
        """Why nobody is there, in words; None = somebody is."""
        return await self._look(base_url)

    def let_one_through(self, server: Server) -> bool:
        """Let one request that waits ask this server, though it is down; False = none waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(server)
                return True
        return False

    def _best(self) -> Server:
        if len(self._servers) == 1:
            return self._servers[0]
        by_turn = self._servers[self._turn :] + self._servers[: self._turn]
        best = min(by_turn, key=lambda server: (server.state, server.in_flight))
        self._turn = (self._servers.index(best) + 1) % len(self._servers)
        return best

    async def _wait(self) -> Server:
        """Until a server is up again, or this request is let through to see whether one is."""
        while True:
            if self._error is not None:
                raise self._error
            if not self._all_down:
                return self._best()
            waiter: asyncio.Future[Server | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            server = await waiter
            if server is not None:
                return server

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def _give_up(self) -> None:
        """The patience is over: look a last time, since the gaps have grown long, then end the run."""
        for server in self._servers:
            if not server.refuses_all and await self._look(server.base_url) is None:
                server.answered()
        if self._all_down:
            raise EngineLost(
                f"{self._told()}, {self._pause.down_timeout_s:g} s long (engine_args.down_timeout_s). "
                "What is finished is kept."
            )

    def _told(self) -> str:
        """Which servers do not answer, and why."""
        reasons = "; ".join(dict.fromkeys(server.reason for server in self._servers))
        names = ", ".join(server.base_url for server in self._servers)
        return f"{names} {'does' if len(self._servers) == 1 else 'do'} not answer ({reasons})"

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _end_watch(self, task: asyncio.Task[None]) -> None:
        """What a watch raises ends the run: without it, requests would wait for ever."""
        self._watches.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._error, self._all_down = error, True
            for server in self._servers:
                server.give_up()
            self._wake()
