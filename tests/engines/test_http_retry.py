import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.http_fault import Fault, read_retry_after, status_is_worth_another_attempt
from evalkit.engines.http_retry import RetryPolicy, with_retries

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def policy(max_retries: int = 3, **fields: float) -> RetryPolicy:
    return RetryPolicy(max_retries, 120.0, 600.0, jitter=random.Random(0), **fields)


@pytest.mark.parametrize("value", [None, "", "soon", "-3", "1e3", "inf", "nan", "１２", "Fri, 99 Nov"])
def test_a_retry_after_that_says_no_time_is_none(value: str | None) -> None:
    assert read_retry_after(value, NOW) is None


@given(st.integers(0, 10**6))
def test_retry_after_reads_seconds_and_dates_alike(seconds: int) -> None:
    at = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert read_retry_after(f" {seconds} ", NOW) == read_retry_after(at, NOW) == seconds


def test_a_date_that_is_past_means_at_once() -> None:
    assert read_retry_after(format_datetime(NOW - timedelta(days=1), usegmt=True), NOW) == 0.0


@given(st.integers(0, 10_000))
def test_waits_double_up_to_the_longest(attempt: int) -> None:
    wait_s = policy().wait_s(attempt, Fault("http_500", ""))
    full_s = min(0.5 * 2 ** min(attempt, 30), 30.0)
    assert full_s / 2 <= wait_s <= full_s


@given(st.floats(0, 1e6), st.integers(0, 100))
def test_a_server_is_never_asked_before_the_time_it_named(retry_after_s: float, attempt: int) -> None:
    fault = Fault("http_429", "", retry_after_s=retry_after_s)
    assert retry_after_s <= policy().wait_s(attempt, fault) <= retry_after_s * 1.1 + 1e-9


def test_which_statuses_are_worth_another_attempt() -> None:
    worth = [status for status in range(200, 600) if status_is_worth_another_attempt(status)]
    assert worth == [408, 409, 429, *range(500, 600)]


def attempts_of(faults: list[Fault], retry_policy: RetryPolicy) -> tuple[str | Fault, int]:
    """What comes of faults in turn and then an answer, and how many attempts were made."""
    made = 0

    async def attempt(timeout_s: float) -> str | Fault:
        nonlocal made
        made += 1
        return faults[made - 1] if made <= len(faults) else "answer"

    return asyncio.run(with_retries(attempt, retry_policy)), made


@given(st.integers(0, 4), st.integers(0, 4))
def test_there_are_at_most_the_retries_allowed(faults: int, max_retries: int) -> None:
    outcome, made = attempts_of([Fault("timeout", "x")] * faults, policy(max_retries, first_wait_s=0.0))
    assert made == min(faults, max_retries) + 1
    assert (outcome == "answer") == (faults <= max_retries)


def test_a_fault_that_will_not_pass_is_not_tried_again() -> None:
    fault = Fault("http_400", "x", again=False)
    assert attempts_of([fault], policy()) == (fault, 1)
