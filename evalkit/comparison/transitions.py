"""Which samples changed side between two runs: newly failing, newly passing, failing in both.

A sample passes in a share metric when its value, turned so that higher is better, is at least one half (of several
attempts: at least half of them). Other metrics have no sides.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evalkit.comparison.pair import PairedMetric
from evalkit.comparison.table import BoolArray, FloatArray
from evalkit.core.comparison import TransitionCount

Transition = Literal["newly_failing", "newly_passing", "both_failing"]


@dataclass(frozen=True)
class ChangedSample:
    """One sample that changed side (or fails in both)."""

    metric: str
    transition: Transition
    sample_id: str


def transitions(paired: PairedMetric, max_shown: int) -> tuple[TransitionCount, list[ChangedSample]]:
    """Counts over all samples, and up to `max_shown` samples of each transition in the order of the data."""
    before, after = _passes(paired, paired.baseline.values_N), _passes(paired, paired.candidate.values_N)
    there = ~np.isnan(paired.baseline.values_N) & ~np.isnan(paired.candidate.values_N)
    masks: dict[Transition, BoolArray] = {
        "newly_failing": there & before & ~after,
        "newly_passing": there & ~before & after,
        "both_failing": there & ~before & ~after,
    }
    shown = [
        ChangedSample(paired.name, transition, paired.table.sample_ids[paired.baseline.rows_N[row]])
        for transition, mask in masks.items()
        for row in np.flatnonzero(mask)[:max_shown]
    ]
    count = TransitionCount(
        metric=paired.name,
        **{transition: int(mask.sum()) for transition, mask in masks.items()},
        both_passing=int((there & before & after).sum()),
        missing=int((~there).sum()),
        shown=len(shown),
    )
    return count, shown


def _passes(paired: PairedMetric, values_N: FloatArray) -> BoolArray:
    turned = values_N if paired.sign > 0 else 1 - values_N
    return np.asarray(np.nan_to_num(turned, nan=0.0) >= 0.5, dtype=np.bool_)
