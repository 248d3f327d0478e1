"""The exact sign-flip test: if nothing changed, each cluster's difference might as well have had the other sign.

Fisher tested Darwin's fifteen pairs of maize this way: 863 of the 32,768 sign patterns are as extreme (one side).
"""

import numpy as np

from evalkit.stats.clusters import Floats

MOST_ENUMERATED = 24
"""Differing clusters up to which all sign patterns are counted: 2**12 sums in each half, a few milliseconds."""

MOST_LATTICE_STEPS = 20_000_000
"""Additions up to which whole-number sums are convolved (some tenths of a second); with more, the t test serves."""

LARGEST_DENOMINATOR = 12
"""Scores averaged over up to this many attempts are seen to be whole numbers of a common unit."""


def sign_flip_p(sums_G: Floats) -> float | None:
    """Chance of a total as low as the one seen, over all sign patterns of the clusters' sums; None where uncountable.

    Clusters whose sum is 0 do not matter. All 0 gives 1.

    >>> darwin = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])
    >>> round(sign_flip_p(-darwin) * 2**15)
    863
    """
    scale = float(np.abs(sums_G).max(initial=0.0))
    differing_M = sums_G[np.abs(sums_G) > 1e-12 * scale]
    if len(differing_M) == 0:
        return 1.0
    whole_M = _as_whole_numbers(differing_M)
    if whole_M is not None and len(whole_M) * np.abs(whole_M).sum() <= MOST_LATTICE_STEPS:
        return _by_convolution(whole_M)
    if len(differing_M) <= MOST_ENUMERATED:
        return _by_halves(differing_M)
    if bool(np.ptp(differing_M) <= 1e-12 * scale):
        return float(0.5 ** len(differing_M)) if differing_M[0] < 0 else 1.0
    return None


def _as_whole_numbers(differing_M: Floats) -> Floats | None:
    """The values in a unit in which all are whole (scores of 0 and 1, or averages over a few attempts), or None."""
    in_smallest_M = differing_M / np.abs(differing_M).min()
    for parts in range(1, LARGEST_DENOMINATOR + 1):
        whole_M: Floats = np.rint(in_smallest_M * parts)
        if np.abs(in_smallest_M * parts - whole_M).max() < 1e-9 * parts:
            return whole_M
    return None


def _by_convolution(whole_M: Floats) -> float:
    """Exact distribution of the units taken away from the largest possible total, one cluster after another."""
    sizes_M = np.abs(whole_M).astype(np.int64)
    largest = int(sizes_M.sum())
    chance = np.zeros(largest + 1)
    chance[0] = 1.0
    for size in sizes_M:
        moved = np.zeros_like(chance)
        moved[size:] = chance[: largest + 1 - size]
        chance = (chance + moved) / 2
    # A total of t means that (largest - t) / 2 units stand on the negative side.
    taken = (largest - int(whole_M.sum())) // 2
    return min(1.0, float(chance[taken:].sum()))


def _by_halves(differing_M: Floats) -> float:
    """Count the patterns by pairing every sum of one half with the sorted sums of the other."""
    middle = len(differing_M) // 2
    left, right = _all_sums(differing_M[:middle]), np.sort(_all_sums(differing_M[middle:]))
    observed = float(differing_M.sum())
    slack = 1e-9 * float(np.abs(differing_M).sum())
    as_low = np.searchsorted(right, observed + slack - left, side="right").sum()
    return float(as_low) / 2.0 ** len(differing_M)


def _all_sums(values_M: Floats) -> Floats:
    sums = np.zeros(1)
    for value in np.abs(values_M):
        sums = np.concatenate([sums - value, sums + value])
    return sums
