"""The interval of a share and of a mean, from one run.

    proportion(81, 263)          0.308 [0.255, 0.366]
    proportion(20, 20)           1 [0.839, 1]: ten right of ten is an ordinary result and has a width

A difference between two runs on the same samples is in paired.py.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from evalkit.core.estimate import Estimate, undefined
from evalkit.stats import special
from evalkit.stats.clusters import (
    Clusters,
    Floats,
    are_equal,
    as_finite,
    cluster_codes,
    standard_error,
    unseen_share,
)


def proportion(
    successes: int,
    n: int,
    *,
    level: float = 0.95,
    method: Literal["wilson", "clopper_pearson", "jeffreys"] = "wilson",
) -> Estimate:
    """A share of independent samples with its interval, in [0, 1] and never of no width. With n = 0 undefined.

    wilson: covers `level` on average; clopper_pearson: at least `level` always; jeffreys: equal tails, a Beta(.5, .5)
        prior.
    Raises ValueError unless 0 <= successes <= n.
    Source: Newcombe 1998, Statistics in Medicine 17:857-872; Brown, Cai, DasGupta 2001 (Jeffreys, closed at 0 and n).

    >>> print(proportion(81, 263))
    0.308 [0.255, 0.366], n = 263
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} samples: expected 0 <= successes <= n")
    if n == 0:
        return undefined("no samples", method=method, unit="share")
    tail = (1 - level) / 2
    if method == "wilson":
        low, high = wilson_limits(successes / n, n, special.normal_quantile(1 - tail))
    elif method == "clopper_pearson":
        low, high = _beta_limits(successes, n - successes, tail, before=(0, 1), after=(1, 0))
    else:
        low, high = _beta_limits(successes, n - successes, tail, before=(0.5, 0.5), after=(0.5, 0.5))
    return Estimate(value=successes / n, low=low, high=high, level=level, n=n, method=method, unit="share")


def wilson_limits(share: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's score limits of a share seen in n samples (n may be an effective, broken number)."""
    square = quantile * quantile / n
    middle = (share + square / 2) / (1 + square)
    half = quantile * math.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    # At 0 and 1 the limit is exact in theory; rounding must not leave 1e-17 there.
    low = 0.0 if share == 0 else max(0.0, middle - half)
    high = 1.0 if share == 1 else min(1.0, middle + half)
    return low, high


def _beta_limits(
    successes: int, failures: int, tail: float, *, before: tuple[float, float], after: tuple[float, float]
) -> tuple[float, float]:
    """Quantiles of two beta distributions, closed at 0 and at 1."""
    low = 0.0 if successes == 0 else float(special.betaincinv(successes + before[0], failures + before[1], tail))
    high = 1.0 if failures == 0 else float(special.betaincinv(successes + after[0], failures + after[1], 1 - tail))
    return low, high


def share(values_N: Sequence[Any] | Floats, *, cluster_N: Clusters = None, level: float = 0.95) -> Estimate:
    """Share of ones among zeros and ones, by Wilson; with clusters at the effective number of samples, with t(G-1).

    The effective number is n over the design effect (the clustered variance over the binomial one, at least 1); where
    all values are equal the design effect cannot be seen, and each cluster counts as one sample.
    Source: Korn and Graubard 1998, Survey Methodology 24:193-201, with Wilson in place of Clopper-Pearson
    (Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3:484-503).

    >>> print(share([1, 1, 1, 0, 0, 0, 1, 1], cluster_N=["a", "a", "a", "b", "b", "b", "c", "d"]))
    0.625 [0.0723, 0.973], n = 8 in 4 clusters
    """
    array = as_finite(values_N, "values")
    if not np.isin(array, (0.0, 1.0)).all():
        raise ValueError("a share is made of zeros and ones")
    n = len(array)
    codes_N, n_clusters = cluster_codes(cluster_N, n)
    if n == 0 or n_clusters == n:
        independent = proportion(int(array.sum()), n, level=level)
        return independent if cluster_N is None else independent.model_copy(update={"n_clusters": n_clusters})
    value = float(array.mean())
    method = "wilson at the effective number of samples, t(G-1)"
    if n_clusters == 1:
        reason = "all samples are in one cluster, so no interval can be computed"
        return Estimate(value=value, level=level, n=n, n_clusters=1, method=method, unit="share", reason=reason)
    quantile = float(special.stdtrit(n_clusters - 1, (1 + level) / 2))
    effective = float(n_clusters)
    if 0 < value < 1:
        design_effect = standard_error(array, codes_N, n_clusters) ** 2 * n / (value * (1 - value))
        effective = n / max(1.0, design_effect)
    low, high = wilson_limits(value, effective, quantile)
    return Estimate(
        value=value, low=low, high=high, level=level, n=n, n_clusters=n_clusters, method=method, unit="share"
    )


def mean(
    values_N: Sequence[Any] | Floats, *, cluster_N: Clusters = None, level: float = 0.95, unit: str = ""
) -> Estimate:
    """Mean of one run's scores: `share` where the unit is "share" and all are 0 or 1, `mean_t` otherwise."""
    array = as_finite(values_N, "values")
    if unit == "share" and np.isin(array, (0.0, 1.0)).all():
        return share(array, cluster_N=cluster_N, level=level)
    return mean_t(array, cluster_N=cluster_N, level=level, unit=unit)


def mean_t(
    values_N: Sequence[Any] | Floats, *, cluster_N: Clusters = None, level: float = 0.95, unit: str = ""
) -> Estimate:
    """Mean with a t interval on clusters: CR1 standard error, G - 1 degrees of freedom.

    values_N: shape (N,), finite. cluster_N: shape (N,), ids; None takes samples as independent.
    With one cluster low and high are None. Where all values are equal the t interval would have no width; instead, as
    many clusters as G equal ones cannot rule out may differ, each by 1 (unit "share") or by as much as the value
    itself. A share stays in [0, 1]. N = 0 is undefined. For zeros and ones use `share`: t covers badly near 0 and 1.

    >>> print(mean_t([0.2, 0.4, 0.9, 0.5]))
    0.5 [0.0316, 0.968], n = 4
    """
    array = as_finite(values_N, "values")
    n = len(array)
    if n == 0:
        return undefined("no samples", method="t", unit=unit)
    codes_N, n_clusters = cluster_codes(cluster_N, n)
    value = float(array.mean())
    given = None if cluster_N is None else n_clusters
    if n_clusters == 1:
        reason = "one sample" if n == 1 else "all samples are in one cluster"
        reason += ", so no interval can be computed"
        return Estimate(value=value, level=level, n=n, n_clusters=given, method="t", unit=unit, reason=reason)
    if are_equal(array):
        return _mean_of_equal(value, n, given, n_clusters, level, unit)
    half = float(special.stdtrit(n_clusters - 1, (1 + level) / 2)) * standard_error(array, codes_N, n_clusters)
    low, high = value - half, value + half
    if unit == "share":
        low, high = max(0.0, low), min(1.0, high)
    method = "t" if n_clusters == n else "t, CR1 by cluster"
    return Estimate(value=value, low=low, high=high, level=level, n=n, n_clusters=given, method=method, unit=unit)


def _mean_of_equal(value: float, n: int, given: int | None, n_clusters: int, level: float, unit: str) -> Estimate:
    """The mean of values that are all equal, with a width: see mean_t."""
    span = 1.0 if unit == "share" else abs(value)
    method = "all values are equal: the share of clusters that could differ, each by 1 (a share) or by the value itself"
    if span == 0:
        reason = "all values are 0, and nothing says how far one could lie from it"
        return Estimate(value=value, level=level, n=n, n_clusters=given, method=method, unit=unit, reason=reason)
    half = span * unseen_share(n_clusters, (1 - level) / 2)
    low, high = value - half, value + half
    if unit == "share":
        low, high = max(0.0, low), min(1.0, high)
    return Estimate(value=value, low=low, high=high, level=level, n=n, n_clusters=given, method=method, unit=unit)
