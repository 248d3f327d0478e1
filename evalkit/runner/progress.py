"""How a pass tells how far it is: it counts in a Tally, and whoever shows progress reads the tallies when it likes.

Counting is an addition: a pass of a million samples costs the same whether anybody looks or not.
"""

from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from evalkit.core.candidate import Price
from evalkit.core.price import cost_by_tokens
from evalkit.core.response import Response


@dataclass
class Tally:
    """What one pass has done."""

    name: str
    total: int
    before: int = 0
    """How many of the total were done by an earlier command."""
    done: int = 0
    """`before` among them."""
    failed: int = 0
    output_tokens: int = 0
    price: Price | None = None
    """Of the model that is asked; None = nobody said."""
    tokens_usd: float = 0.0
    """What its tokens have cost so far."""
    from_cache: int = 0
    began_s: float = field(default_factory=monotonic)
    """On the monotonic clock."""

    def add(self, response: Response) -> None:
        """One more answer."""
        self.done += 1
        self.failed += response.failure is not None
        self.use(response)

    def use(self, response: Response) -> None:
        """What an answer used, whether or not it is one of those that are counted; one from the cache used nothing."""
        if response.from_cache:
            self.from_cache += 1
            return
        self.output_tokens += response.usage.output_tokens or 0
        if self.price is not None:
            self.tokens_usd += cost_by_tokens(response.usage, self.price) or 0.0

    @property
    def cost_usd(self) -> float | None:
        """What this pass has cost so far; None = no price is known."""
        if self.price is None:
            return None
        if self.price.usd_per_gpu_hour is not None:
            return (monotonic() - self.began_s) / 3600 * self.price.usd_per_gpu_hour
        return self.tokens_usd

    @property
    def rate_per_s(self) -> float:
        """How many a second, since the pass began."""
        spent_s = monotonic() - self.began_s
        return (self.done - self.before) / spent_s if spent_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until the end at this rate; None = it cannot be said, or it is over."""
        rate = self.rate_per_s
        return (self.total - self.done) / rate if rate > 0 and self.done < self.total else None


class Progress(Protocol):
    """Shown to whoever waits; several passes may be under way at once."""

    def begin(self, tally: Tally) -> None:
        """A pass begins: its tally may be read until it ends."""

    def end(self, tally: Tally) -> None:
        """The pass is over."""

    def say(self, message: str) -> None:
        """Something a reader should know."""


class Silent:
    """Tells nobody."""

    def begin(self, tally: Tally) -> None:
        """Nothing."""

    def end(self, tally: Tally) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""
