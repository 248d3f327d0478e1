"""How the estimates of a card are drawn, and how a plain Estimate becomes a line of the card."""

import zlib
from dataclasses import dataclass

import numpy as np

from evalkit.core.card import CardEstimate
from evalkit.core.estimate import Estimate, Slice


@dataclass(frozen=True)
class Drawing:
    """Draws, level and seed of the bootstrap."""

    n_draws: int
    level: float
    seed: int

    def rng(self, *names: object) -> np.random.Generator:
        """A generator of its own for each named thing: an estimate does not depend on which others were made."""
        name = "\x1f".join(map(str, names)).encode()
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name),)))


def card_line(estimate: Estimate, statistic: str, against: str, where: Slice) -> CardEstimate:
    """An estimate under its name."""
    return CardEstimate(**dict(estimate), statistic=statistic, against=against, slice=where)
