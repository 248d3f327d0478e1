"""Intervals of statistics of moments by leaving out one cluster at a time.

The spread of the values with one cluster left out gives the standard error; the interval is symmetric, with t(G-1),
on the scale on which the statistic is nearest to normal: Fisher's z for correlations, logarithms for errors. For
moments of numbers this holds its level where BCa does not: over 10 clusters of 6 it covers Pearson's r and the
intraclass correlation .95 of the time (BCa .89 and .86), over 60 samples with heavy tails .94 (BCa .90). Lognormal
scores are hard for both: .90 at n = 300.
Source: Efron and Tibshirani 1993, chapter 11; Bell and McCaffrey 2002 (t(G-1) on clusters).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from evalkit.core.estimate import Estimate
from evalkit.stats import special
from evalkit.stats.bootstrap import FEWEST_CLUSTERS, Interval, patterns
from evalkit.stats.clusters import Floats, Integers
from evalkit.stats.shared_draws import Basis, OfSums, Sampling, to_estimate, undefined_estimate, unseen_interval


class Near(Enum):
    """The scale on which a statistic is nearest to normal."""

    FISHER_Z = "fisher z"
    """Coefficients in (-1, 1)."""
    LOG_OF_REST = "log(1 - x)"
    """Coefficients below 1 with no lower end: the reliability of a mean of raters."""
    LOG = "log"
    """Sizes above 0."""
    AS_IT_IS = "plain"


@dataclass(frozen=True)
class OfMoments:
    """A statistic of sums and its scale."""

    function: OfSums
    near: Near


def jackknife_estimates(
    statistics: Mapping[str, OfMoments], sums_NF: Floats, unseen_MF: Floats, basis: Basis, sampling: Sampling
) -> dict[str, Estimate]:
    """An Estimate of each statistic from the sums of each sample, shape (N, F).

    unseen_MF: the sums of one sample of every kind that might stand unseen, for the interval where nothing varies.
    """
    sums_PF, counts_P = patterns(sampling.by_clusters(sums_NF))
    observed_F = counts_P @ sums_PF
    result = {}
    for name, statistic in statistics.items():
        value = float(statistic.function(observed_F[np.newaxis])[0]) if basis.n else math.nan
        if not math.isfinite(value):
            result[name] = undefined_estimate(name, basis, sampling.level)
            continue
        left_out_P = statistic.function(observed_F - sums_PF)
        found = jackknife_interval(value, left_out_P, counts_P, basis, statistic.near, sampling.level)
        if found is None:
            found = unseen_interval(statistic.function, value, observed_F, unseen_MF, basis, sampling.level)
        result[name] = to_estimate(name, value, found, basis, sampling.level)
    return result


def jackknife_interval(
    value: float, left_out_P: Floats, counts_P: Integers, basis: Basis, near: Near, level: float
) -> Interval | None:
    """The interval, or None where leaving out a cluster changes nothing.

    left_out_P: the statistic without one cluster of each pattern; counts_P: clusters of that pattern.
    """
    n_clusters = basis.n_clusters
    method = f"jackknife by {'cluster' if n_clusters < basis.n else 'sample'}, {near.value}, t(G-1)"
    if n_clusters < FEWEST_CLUSTERS:
        reason = f"{n_clusters} independent units: at least {FEWEST_CLUSTERS} are needed for an interval"
        return Interval(None, None, method, reason)
    if not np.isfinite(left_out_P).all():
        return Interval(None, None, method, "undefined without one of the clusters: too few samples vary")
    distances_P = left_out_P - np.average(left_out_P, weights=counts_P)
    error = math.sqrt((n_clusters - 1) / n_clusters * float(counts_P @ distances_P**2))
    if error < 1e-9 or (near in (Near.FISHER_Z, Near.LOG_OF_REST) and value > 1 - 1e-9):
        return None
    low, high = _symmetric_near(near, value, float(special.stdtrit(n_clusters - 1, (1 + level) / 2)) * error)
    return Interval(low, high, method)


def _symmetric_near(near: Near, value: float, half: float) -> tuple[float, float]:
    """The value -/+ half on the scale `near`, turned back; half is stretched by that scale's slope at the value."""
    if near is Near.FISHER_Z and abs(value) < 1 - 1e-9:
        moved, step = math.atanh(value), half / (1 - value * value)
        return math.tanh(moved - step), math.tanh(moved + step)
    if near is Near.LOG_OF_REST and value < 1:
        factor = math.exp(min(half / (1 - value), 50.0))
        # Reliability below 0 is none at all: its lower end is not followed below -1 (it has no end).
        return max(min(-1.0, value), 1 - (1 - value) * factor), 1 - (1 - value) / factor
    if near is Near.LOG and value > 0:
        factor = math.exp(min(half / value, 50.0))
        return value / factor, value * factor
    return value - half, value + half
