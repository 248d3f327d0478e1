"""What a command has spent, and the limits at which it ends: money, failures, time.

    --max-cost-usd 5      nothing is asked that could make the sum larger: the dearest it could be is set aside first
    --max-failures 20     after the 21st answer that is missing through the system's fault nothing more is asked
    --max-time 50m        whatever is under way then is given up, and asked again by the command that goes on

A limit is one command's: the command that goes on with the run has it anew. What is under way when money or patience
is used up still comes to its end, since it is paid for.
"""

import asyncio
import re
from dataclasses import dataclass
from time import monotonic

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.failure import Failure
from evalkit.core.price import cost_by_tokens, most_cost_by_tokens
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.engines.base import Engine
from evalkit.engines.request_fault import ENGINE_DIED

_SECONDS_PER_HOUR = 3600
_UNITS_S = {"s": 1, "m": 60, "h": _SECONDS_PER_HOUR}
_FREE_ENGINES = ("echo", "replay")


class LimitReached(Exception):
    """Nothing more is asked; the meter says why."""


@dataclass(frozen=True)
class Limits:
    """Where a command ends by itself; None = nowhere."""

    max_cost_usd: float | None = None
    max_time_s: float | None = None
    max_failures: int | None = None


def read_duration(text: str) -> float:
    """Seconds of `90`, `90s`, `50m` or `1.5h`. Raises InputError for anything else, and for no time at all.

    >>> read_duration("1.5h")
    5400.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(found[1]) * _UNITS_S[found[2] or "s"] if found else 0.0
    if seconds <= 0:
        raise InputError(f'--max-time "{text}": expected a time such as 90s, 50m or 1.5h')
    return seconds


class Meter:
    """Counts what is spent in one command. All of it belongs to one event loop."""

    def __init__(self, limits: Limits = Limits()):
        self.limits = limits
        self.stopped = ""
        """Why nothing more is asked; "" = it goes on."""
        self._by_tokens_usd = self._reserved_usd = 0.0
        self._by_time: list[tuple[float, float]] = []
        self._failures = 0
        self._began_s = monotonic()
        self._settled = asyncio.Event()

    @property
    def left_s(self) -> float | None:
        """Seconds until the time is up; None = there is no such limit."""
        limit_s = self.limits.max_time_s
        return None if limit_s is None else max(0.0, self._began_s + limit_s - monotonic())

    @property
    def spent_usd(self) -> float:
        """What all models have cost so far, as far as prices are known."""
        now_s = monotonic()
        by_time = ((now_s - began_s) / _SECONDS_PER_HOUR * usd for began_s, usd in self._by_time)
        return self._by_tokens_usd + sum(by_time)

    def runs_by_the_hour(self, usd_per_hour: float) -> None:
        """A model is there from now on that costs by the hour, whatever it is asked."""
        self._by_time.append((monotonic(), usd_per_hour))

    def time_is_up(self) -> None:
        """The time has come."""
        self.stop(f"--max-time {self.limits.max_time_s:g} s is over")

    def stop(self, why: str) -> None:
        """Ask nothing more. The first reason stays."""
        self.stopped = self.stopped or why
        self._settled.set()

    async def reserve(self, most_usd: float) -> None:
        """Set aside what a request could cost; waits for others to end where they may leave enough.

        Raises LimitReached when there is not enough, or another limit was reached.
        """
        limit_usd = self.limits.max_cost_usd
        while not self.stopped and limit_usd is not None and self.spent_usd + self._reserved_usd + most_usd > limit_usd:
            if not self._reserved_usd:
                spent = f"of --max-cost-usd {limit_usd:g} ${self.spent_usd:,.4f} is spent"
                self.stop(f"{spent}, and the next request could cost ${most_usd:,.4f}" if most_usd else spent)
                break
            self._settled.clear()
            await self._settled.wait()
        if self.stopped:
            raise LimitReached(self.stopped)
        self._reserved_usd += most_usd

    def settle(self, most_usd: float, cost_usd: float | None) -> None:
        """A request ended. cost_usd: None = not known; then the most that it could cost counts."""
        self._reserved_usd = max(0.0, self._reserved_usd - most_usd)
        if self._reserved_usd < 1e-12:  # what rounding leaves of nothing
            self._reserved_usd = 0.0
        self._by_tokens_usd += most_usd if cost_usd is None else cost_usd
        self._settled.set()

    def count_failure(self, failure: Failure) -> None:
        """One more answer is missing through the system's fault; an engine that died will not give another one."""
        self._failures += 1
        if failure.kind == ENGINE_DIED:
            self.stop(failure.message)
        limit = self.limits.max_failures
        if limit is not None and self._failures > limit:
            missing = f"{self._failures} answers are missing through the system's fault"
            self.stop(f"{missing}, more than --max-failures {limit} allows")


class MeteredEngine:
    """An engine whose requests are counted, and refused once a limit is reached. Everything else is the engine's."""

    def __init__(self, engine: Engine, candidate: Candidate, meter: Meter):
        """The engine is started. Raises InputError when a limit in money meets a model without a price."""
        check_price(candidate, meter.limits)
        self._engine = engine
        self._price = candidate.price
        self._meter = meter
        if self._price is not None and self._price.usd_per_gpu_hour is not None:
            meter.runs_by_the_hour(self._price.usd_per_gpu_hour)
        self.name, self.version, self.concurrency = engine.name, engine.version, engine.concurrency
        self.in_process, self.transport_arguments = engine.in_process, engine.transport_arguments
        self.loading, self.warnings = engine.loading, engine.warnings

    @property
    def served(self) -> dict[str, str]:
        """The engine's."""
        return self._engine.served

    async def start(self) -> None:
        """Start the engine."""
        await self._engine.start()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    async def respond(self, request: Request) -> Response:
        """The engine's answer. Raises LimitReached when nothing more is asked."""
        if self._meter.limits.max_cost_usd is not None:
            return await self._respond_within_cost(request)
        if self._meter.stopped:
            raise LimitReached(self._meter.stopped)
        return self._counted(await self._engine.respond(request))

    async def _respond_within_cost(self, request: Request) -> Response:
        most_usd = 0.0 if self._price is None else most_cost_by_tokens(request, self._price)
        await self._meter.reserve(most_usd)
        cost_usd: float | None = 0.0  # a request that is given up, or fails, is not known to have cost anything
        try:
            response = self._counted(await self._engine.respond(request))
            if self._price is not None and not _is_missing(response):
                cost_usd = cost_by_tokens(response.usage, self._price)
        finally:
            self._meter.settle(most_usd, cost_usd)
        return response

    def _counted(self, response: Response) -> Response:
        if response.failure is not None and _is_missing(response):
            self._meter.count_failure(response.failure)
        return response


def _is_missing(response: Response) -> bool:
    return response.failure is not None and response.failure.blame == "system"


def check_price(candidate: Candidate, limits: Limits) -> None:
    """Raise InputError when a limit in money cannot be kept, since nobody said what the model costs."""
    price = candidate.price
    is_known = price is not None and (price.usd_per_gpu_hour is not None or price.usd_per_million_output is not None)
    if limits.max_cost_usd is not None and not is_known and candidate.engine not in _FREE_ENGINES:
        raise InputError(
            f'--max-cost-usd: candidate "{candidate.name}" has no price, so the limit cannot be kept. Add to its '
            "YAML: `price: {usd_per_million_input: ..., usd_per_million_output: ..., as_of: YYYY-MM-DD}`"
        )
