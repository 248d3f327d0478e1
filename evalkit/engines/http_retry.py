"""When to try again, and how long to wait before that.

    500 -> again after 0.25..0.5 s, then 0.5..1 s, ...      429, Retry-After: 7 -> again after 7..7.7 s
    400 -> not again                                        401 -> not again; the run ends

What a status or an exception means is decided in http_fault.py; whether a server is gone, in http_servers.py.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from evalkit.engines.http_fault import Fault

Answer = TypeVar("Answer")

MOST_LOST_WITH_A_SERVER = 5
"""A request that was under way each time when a server went, this often, may be what brings servers down: from then on
such an attempt counts like any other.
"""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a request is tried."""

    max_retries: int
    attempt_timeout_s: float
    total_timeout_s: float
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    """The first wait doubles with each attempt up to this. A server that says Retry-After is believed beyond it."""
    jitter: random.Random = field(default_factory=random.Random)
    """Spreads waits, so that requests that failed together do not come back together. No result depends on it."""

    def wait_s(self, attempt: int, fault: Fault) -> float:
        """Seconds to wait after the attempt of this number, from 0."""
        if fault.retry_after_s is not None:
            return fault.retry_after_s * (1 + 0.1 * self.jitter.random())
        wait_s = min(self.first_wait_s * 2.0 ** min(attempt, 30), self.longest_wait_s)
        return wait_s * (0.5 + 0.5 * self.jitter.random())


async def with_retries(
    attempt: Callable[[float], Awaitable[Answer | Fault]],
    policy: RetryPolicy,
    ready: Callable[[], Awaitable[float]] | None = None,
) -> Answer | Fault:
    """Attempt until there is an answer, a fault that is not worth another attempt, or no attempt or time left.

    attempt: is given the seconds it may take. The last fault is handed back, its message saying how often was tried.
    ready: waits until there is a server to ask, and gives the seconds that took, which are no part of the total time;
        nor is an attempt that does not count.
    """
    deadline = time.monotonic() + policy.total_timeout_s
    number = lost = 0
    while True:
        if ready is not None:
            deadline += await ready()
        began = time.monotonic()
        outcome = await attempt(max(0.001, min(policy.attempt_timeout_s, deadline - began)))
        if not isinstance(outcome, Fault) or not outcome.again:
            return outcome
        if not outcome.counts and lost < MOST_LOST_WITH_A_SERVER:
            lost += outcome.sent
            deadline += time.monotonic() - began
            continue
        if number == policy.max_retries:
            return _after(outcome, number, "")
        wait_s = policy.wait_s(number, outcome)
        if time.monotonic() + wait_s >= deadline:
            asked = "" if outcome.retry_after_s is None else f": the server asked for {outcome.retry_after_s:g} s"
            return _after(outcome, number, f", the next one would be after {policy.total_timeout_s:g} s in all{asked}")
        await asyncio.sleep(wait_s)
        number += 1


def _after(fault: Fault, number: int, why: str) -> Fault:
    tried = "1 attempt" if number == 0 else f"{number + 1} attempts"
    return replace(fault, message=f"{fault.message} ({tried}{why})")
