"""Pearson's, Spearman's and Kendall's correlation, and an interval for the two rank correlations.

Correlation alone never vouches for a judge: it does not see that all its scores are one step too high.

The rank correlations of numbers with many different values get their interval from influence values: how far each
sample moves the coefficient, ties included. Summed by cluster they give the standard error; the interval is symmetric
on Fisher's z scale with t(G-1). One pass of n log n steps instead of 2,000 sorts.
Source: Hampel 1974 (influence); Bishara and Hittner 2017 (Fisher's z with a robust error for ranks); Cliff and
Charlin 1991 (tau).
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evalkit.stats import special
from evalkit.stats.alpha import midranks
from evalkit.stats.bootstrap import FEWEST_CLUSTERS, Interval
from evalkit.stats.clusters import Floats, Integers, are_equal, as_finite, standard_error, unseen_share
from evalkit.stats.dominance import concordance_counts

Influence = Callable[[Floats, Floats], tuple[float, Floats]]


def pearson(x_N: npt.ArrayLike, y_N: npt.ArrayLike) -> float | None:
    """Pearson's r; None with fewer than two samples or where one side never varies.

    >>> round(pearson([1, 2, 3, 4], [1, 3, 2, 4]), 3)
    0.8
    """
    x, y = _both(x_N, y_N)
    if len(x) < 2 or are_equal(x) or are_equal(y):
        return None
    x, y = x - x.mean(), y - y.mean()
    return max(-1.0, min(1.0, float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))))


def spearman(x_N: npt.ArrayLike, y_N: npt.ArrayLike) -> float | None:
    """Spearman's rho: Pearson's r of midranks. None as there.

    >>> round(spearman([106, 100, 86, 101, 99, 103, 97, 113, 112, 110], [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]), 6)
    -0.175758
    """
    x, y = _both(x_N, y_N)
    return pearson(midranks(x), midranks(y)) if len(x) else None


def kendall_tau_b(x_N: npt.ArrayLike, y_N: npt.ArrayLike) -> float | None:
    """Kendall's tau-b: concordant less discordant pairs, over the geometric mean of the pairs untied in x and in y.

    None with fewer than two samples or where one side never varies.

    >>> round(kendall_tau_b([1, 2, 2, 3], [1, 3, 2, 4]), 4)
    0.9129
    """
    x, y = _both(x_N, y_N)
    value = kendall_influence(x, y)[0] if len(x) > 1 else math.nan
    return value if math.isfinite(value) else None


def spearman_influence(x_N: Floats, y_N: Floats) -> tuple[float, Floats]:
    """Spearman's rho and how far each sample moves it (mean 0), shape (N,); NaN where one side never varies.

    A sample enters as a point of the covariance of ranks, and by pushing up the ranks of all samples above it.
    """
    n = len(x_N)
    x_ranks_N, y_ranks_N = _shares_below(x_N), _shares_below(y_N)
    covariance = float(x_ranks_N @ y_ranks_N) / n
    x_variance, y_variance = float(x_ranks_N @ x_ranks_N) / n, float(y_ranks_N @ y_ranks_N) / n
    if x_variance <= 0 or y_variance <= 0:
        return math.nan, np.full(n, math.nan)
    of_covariance_N = x_ranks_N * y_ranks_N + _mean_above(x_N, y_ranks_N) + _mean_above(y_N, x_ranks_N)
    of_x_N = x_ranks_N**2 + 2 * _mean_above(x_N, x_ranks_N)
    of_y_N = y_ranks_N**2 + 2 * _mean_above(y_N, y_ranks_N)
    scale = math.sqrt(x_variance * y_variance)
    value = covariance / scale
    influence_N = of_covariance_N / scale - value / 2 * (of_x_N / x_variance + of_y_N / y_variance)
    return max(-1.0, min(1.0, value)), influence_N - influence_N.mean()


def kendall_influence(x_N: Floats, y_N: Floats) -> tuple[float, Floats]:
    """Kendall's tau-b and how far each sample moves it (mean 0), shape (N,); NaN where one side never varies."""
    n = len(x_N)
    concordant_N, discordant_N = concordance_counts(x_N, y_N)
    net_N = (concordant_N - discordant_N).astype(np.float64)
    x_untied_N, y_untied_N = _untied(x_N), _untied(y_N)
    x_untied, y_untied = float(x_untied_N.sum()), float(y_untied_N.sum())
    if x_untied == 0 or y_untied == 0:
        return math.nan, np.full(n, math.nan)
    scale = math.sqrt(x_untied * y_untied)
    value = float(net_N.sum()) / scale
    influence_N = 2 * n * (net_N / scale - value / 2 * (x_untied_N / x_untied + y_untied_N / y_untied))
    return max(-1.0, min(1.0, value)), influence_N - influence_N.mean()


def rank_interval(
    value: float,
    influence_N: Floats,
    codes_N: Integers,
    n_clusters: int,
    *,
    level: float,
    unseen_worst: Callable[[float], float],
) -> Interval:
    """Interval of a rank correlation from its influence values, on Fisher's z scale with t(G-1).

    unseen_worst: the coefficient if a share of samples stood in the worst order. Where all samples are in one order it
        gives the far end, with the share that G clusters cannot rule out.
    """
    method = "influence by cluster, fisher z, t(G-1)" if n_clusters < len(codes_N) else "influence, fisher z, t"
    if n_clusters < FEWEST_CLUSTERS:
        reason = f"{n_clusters} independent units: at least {FEWEST_CLUSTERS} are needed for an interval"
        return Interval(None, None, method, reason)
    error = standard_error(influence_N, codes_N, n_clusters)
    if abs(value) > 1 - 1e-9 or error < 1e-9:
        far = unseen_worst(unseen_share(n_clusters, (1 - level) / 2))
        low, high = (far, 1.0) if value > 0 else (-1.0, -far)
        return Interval(
            low, high, "one order throughout: the share of samples that could stand in the worst order unseen"
        )
    half = float(special.stdtrit(n_clusters - 1, (1 + level) / 2)) * error / (1 - value * value)
    return Interval(math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half), method)


def kendall_at_worst(share: float) -> float:
    """Tau when all samples but a share are in one order and the share is in the opposite order to everyone."""
    return 2 * (1 - share) ** 2 - 1


def spearman_at_worst(share: float) -> float:
    """Rho when all samples but a share are in one order and the share is highest in x and lowest in y.

    Ranks on [0, 1]: the share has x rank 1 - share/2 and y rank share/2, the rest run evenly below and above it;
    centred, the covariance is (1 - share)^3 / 12 - share (1 - share) / 4, over the variance ((1 - share)^3 / 12 +
    share (1 - share) / 4).
    """
    inside, between = (1 - share) ** 3 / 12, share * (1 - share) / 4
    return (inside - between) / (inside + between)


def _both(x_N: npt.ArrayLike, y_N: npt.ArrayLike) -> tuple[Floats, Floats]:
    x, y = as_finite(x_N, "x"), as_finite(y_N, "y")
    if len(x) != len(y):
        raise ValueError(f"{len(x)} values of x for {len(y)} of y: pairs are needed")
    return x, y


def _shares_below(values_N: Floats) -> Floats:
    """Midrank as a share of n, less one half: mean 0."""
    return (midranks(values_N) - 0.5) / len(values_N) - 0.5


def _mean_above(values_N: Floats, weights_N: Floats) -> Floats:
    """For each sample, sum over the samples above it (equal ones half) of weights, over n."""
    _, codes_N = np.unique(values_N, return_inverse=True)
    sums_K = np.bincount(codes_N, weights=weights_N)
    above_K = np.cumsum(sums_K[::-1])[::-1] - sums_K / 2
    return above_K[codes_N] / len(values_N)


def _untied(values_N: Floats) -> Floats:
    """For each sample, how many others have another value."""
    _, codes_N, counts_K = np.unique(values_N, return_inverse=True, return_counts=True)
    return (len(values_N) - counts_K[codes_N]).astype(np.float64)
