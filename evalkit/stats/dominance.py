"""For every sample, how many others it is concordant and discordant with: what Kendall's tau and its error are made of.

Two samples are concordant when the one with the larger x has the larger y. Counting is by merging halves, all blocks
of a size at once: n (log n)^2 steps, no table of n by n.
"""

import numpy as np

from evalkit.stats.clusters import Floats, Integers


def concordance_counts(x_N: Floats, y_N: Floats) -> tuple[Integers, Integers]:
    """Concordant and discordant partners of each sample, shape (N,) each; partners equal in x or y count in neither.

    >>> concordance_counts(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    (array([2, 1, 1]), array([0, 1, 1]))
    """
    x_codes_N, y_codes_N = _codes(x_N), _codes(y_N)
    both_lower_N = _both_lower(x_codes_N, y_codes_N)
    both_higher_N = _both_lower(-x_codes_N, -y_codes_N)
    lower_higher_N = _both_lower(x_codes_N, -y_codes_N)
    higher_lower_N = _both_lower(-x_codes_N, y_codes_N)
    return both_lower_N + both_higher_N, lower_higher_N + higher_lower_N


def _codes(values_N: Floats) -> Integers:
    return np.unique(values_N, return_inverse=True)[1].astype(np.int64)


def _both_lower(x_codes_N: Integers, y_codes_N: Integers) -> Integers:
    """How many others are lower in both. Within equal x, larger y come first, and so do not count for one another."""
    order = np.lexsort((-y_codes_N, x_codes_N))
    counts_N = np.empty(len(order), dtype=np.int64)
    counts_N[order] = _smaller_before(y_codes_N[order])
    return counts_N


def _smaller_before(codes_N: Integers) -> Integers:
    """For each position, how many earlier positions hold a smaller code."""
    n = len(codes_N)
    counts_N = np.zeros(n, dtype=np.int64)
    positions_N = np.arange(n)
    codes_N = codes_N - codes_N.min() if n else codes_N
    width = int(codes_N.max()) + 1 if n else 1
    size = 1
    while size < n:
        is_left_N = (positions_N // size) % 2 == 0
        block_N = positions_N // (2 * size)
        # Equal codes: the right half first, so that an equal left one is not counted as smaller.
        order = np.argsort((block_N * width + codes_N) * 2 + is_left_N, kind="stable")
        lefts_before_N = np.cumsum(is_left_N[order]) - block_N[order] * size
        rights = ~is_left_N[order]
        counts_N[order[rights]] += lefts_before_N[rights]
        size *= 2
    return counts_N
