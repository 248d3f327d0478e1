"""What may go wrong with one attempt, whether it is worth another, and how long to wait before that.

    500 -> again after 0.25..0.5 s, then 0.5..1 s, ...      429, Retry-After: 7 -> again after 7..7.7 s
    400 -> not again                                        401, 403, 404 -> not again; at a run's start, the run ends

What a status or an exception means is decided here and in http_connection.py; what becomes of it, in openai_http.py.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

Answer = TypeVar("Answer")

PROMPT_TOO_LONG = "prompt_too_long"
"""The one kind of fault that is the candidate's."""


@dataclass(frozen=True)
class Fault:
    """Why one attempt gave no answer."""

    kind: str
    """`http_500`, `timeout`, `connection`, `bad_body`, ..."""
    message: str
    """In words, without secrets."""
    again: bool = True
    """Whether another attempt may end otherwise."""
    retry_after_s: float | None = None
    """How long the server asked to be left alone."""
    status: int | None = None
    """The HTTP status, where there was one."""


def status_is_worth_another_attempt(status: int) -> bool:
    """Request timeout, conflict, too many requests, and whatever is the server's own trouble."""
    return status in (408, 409, 429) or status >= 500


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header, a number or an HTTP date (RFC 9110, section 10.2.3); None = not said.

    >>> read_retry_after("7", datetime(2026, 1, 1, tzinfo=UTC))
    7.0
    >>> read_retry_after("Thu, 01 Jan 2026 00:00:30 GMT", datetime(2026, 1, 1, tzinfo=UTC))
    30.0
    >>> read_retry_after("soon", datetime(2026, 1, 1, tzinfo=UTC)) is None
    True
    """
    text = (value or "").strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


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


async def with_retries(attempt: Callable[[float], Awaitable[Answer | Fault]], policy: RetryPolicy) -> Answer | Fault:
    """Attempt until there is an answer, a fault that is not worth another attempt, or no attempt or time left.

    attempt: is given the seconds it may take. The last fault is handed back, its message saying how often was tried.
    """
    deadline = time.monotonic() + policy.total_timeout_s
    number = 0
    while True:
        outcome = await attempt(max(0.001, min(policy.attempt_timeout_s, deadline - time.monotonic())))
        if not isinstance(outcome, Fault) or not outcome.again:
            return outcome
        if number == policy.max_retries:
            return _after(outcome, number, "")
        wait_s = policy.wait_s(number, outcome)
        if time.monotonic() + wait_s >= deadline:
            return _after(outcome, number, f", the next one would be after {policy.total_timeout_s:g} s in all")
        await asyncio.sleep(wait_s)
        number += 1


def _after(fault: Fault, number: int, why: str) -> Fault:
    tried = "1 attempt" if number == 0 else f"{number + 1} attempts"
    return replace(fault, message=f"{fault.message} ({tried}{why})")
