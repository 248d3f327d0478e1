"""Did the candidate do worse than the baseline on the same samples, and by how much?

    baseline   1 1 0 1 1 0 1 1        d = candidate - baseline, sample by sample
    candidate  1 0 0 1 1 1 1 1        mean d = 0, one sample lost and one won

What is chosen, and why an interval never has zero width:

    all scores 0 or 1, one sample a cluster   Tango's score interval; exact McNemar test
    no difference varies                      the share of clusters that could differ unseen
    few clusters differ                       Tango's interval at the effective counts (below), t(G-1); exact sign flips
    otherwise                                 t(G-1), CR1 error by cluster; exact sign flips while countable, else t

With few differing clusters Wald's t interval is far too short (with 1 expected loss per 33 samples and n = 100, a
one-sided 95 % limit holds 81 % of the time). So wins and losses are shrunk to the counts of independent 0/1 pairs
that would have the same variance, and go through Tango's formula: Korn and Graubard's device, with Tango's interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.core.estimate import Estimate, undefined
from evalkit.stats import special
from evalkit.stats.clusters import (
    Clusters,
    Floats,
    Integers,
    are_equal,
    as_finite,
    cluster_codes,
    cluster_sums,
    range_or_size,
    standard_error,
    unseen_share,
)
from evalkit.stats.permutation import sign_flip_p
from evalkit.stats.tango import tango_lower

FEW_DIFFERING_CLUSTERS = 30
"""Below this many (and below half of all) the t interval is not trusted."""

Scores = Sequence[Any] | Floats


@dataclass(frozen=True)
class Pairs:
    """The differences of paired scores, and what the choice of a method depends on."""

    difference_N: Floats
    codes_N: Integers
    n_clusters: int
    binary: bool
    """All scores are 0 or 1 (or 0 and -1: turned round because lower is better)."""
    span: float
    """How far one sample's difference can reach: 1 for a share, else the range of the scores, else their size."""
    unit: str

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.difference_N)

    @property
    def independent(self) -> bool:
        """No cluster holds more than one sample."""
        return self.n_clusters == self.n

    @property
    def mean(self) -> float:
        """Mean of candidate - baseline."""
        return float(self.difference_N.mean())


@dataclass(frozen=True)
class Limits:
    """Both one-sided limits at one tail probability; None with a reason when they cannot be computed."""

    low: float | None
    high: float | None
    method: str
    reason: str | None = None


def paired_difference(
    baseline_N: Scores,
    candidate_N: Scores,
    *,
    cluster_N: Clusters = None,
    level: float = 0.95,
    unit: str = "",
    span: float | None = None,
) -> Estimate:
    """Mean of candidate - baseline over the same samples, with the interval that the module's table picks.

    baseline_N, candidate_N: shape (N,), finite, the same order of samples.
    cluster_N: shape (N,), ids of samples that stand or fall together; None takes samples as independent.
    span: the range of the scores' scale where it is known (4 on a scale of 1 to 5); None reads it off the scores.
    With N = 0 undefined; with one cluster of several scores low and high are None and reason says why.
    Raises ValueError when shapes differ. Source: Tango 1998, Statistics in Medicine 17:891-908; Miller 2024, arXiv
    2411.00640.

    >>> paired_difference([0, 1, 0, 1], [1, 1, 0, 1]).value
    0.25
    >>> print(paired_difference([1] * 100, [1] * 100))
    0 [-0.037, 0.037], n = 100
    """
    pairs = _paired(baseline_N, candidate_N, cluster_N, unit, span)
    if pairs.n == 0:
        return undefined("no pairs", unit=unit)
    limits = _limits(pairs, (1 - level) / 2)
    return Estimate(
        value=pairs.mean,
        low=limits.low,
        high=limits.high,
        level=level,
        n=pairs.n,
        n_clusters=None if cluster_N is None else pairs.n_clusters,
        method=limits.method,
        unit=unit,
        reason=limits.reason,
    )


def lower_limit(
    baseline_N: Scores,
    candidate_N: Scores,
    *,
    cluster_N: Clusters = None,
    alpha: float = 0.05,
    unit: str = "",
    span: float | None = None,
) -> float | None:
    """One-sided lower confidence limit of mean(candidate - baseline) at 1 - alpha; None when there is none.

    The same method as `paired_difference` picks. Where lower scores are better, hand in the runs the other way round.

    >>> round(lower_limit([1] * 52, [1] * 52), 4)
    -0.0495
    """
    pairs = _paired(baseline_N, candidate_N, cluster_N, unit, span)
    return _limits(pairs, alpha).low if pairs.n else None


def p_worse(baseline_N: Scores, candidate_N: Scores, *, cluster_N: Clusters = None) -> tuple[float | None, str]:
    """One-sided p of "the mean of candidate - baseline is >= 0" against "the candidate is lower", and the test's name.

    Binary and independent: exact McNemar. Otherwise exact sign flips of the clusters' sums while they can be counted
    (up to 24 clusters that differ, any number where the sums are whole numbers), else t(G-1) by cluster. No
    difference: 1. None when there are no pairs.

    >>> p_worse([1] * 5 + [0] * 5, [0] * 5 + [0] * 5)
    (0.03125, 'exact McNemar, one-sided')
    """
    pairs = _paired(baseline_N, candidate_N, cluster_N, "", None)
    if pairs.n == 0:
        return None, "no pairs"
    if pairs.binary and pairs.independent:
        won, lost = int((pairs.difference_N > 0).sum()), int((pairs.difference_N < 0).sum())
        return _binomial_at_least(lost, won + lost), "exact McNemar, one-sided"
    sums_G = cluster_sums(pairs.difference_N, pairs.codes_N, pairs.n_clusters)
    exact = sign_flip_p(sums_G)
    if exact is not None:
        return (
            exact,
            "exact sign flips by cluster, one-sided" if not pairs.independent else "exact sign flips, one-sided",
        )
    error = standard_error(pairs.difference_N, pairs.codes_N, pairs.n_clusters)
    name = "t by cluster, one-sided" if not pairs.independent else "t, one-sided"
    return float(special.stdtr(pairs.n_clusters - 1, pairs.mean / error)), name


def tango_interval(b: float, c: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of (b - c)/n: b samples only the candidate got right, c only the baseline, of n pairs.

    Source: Tango 1998, Statistics in Medicine 17:891-908.

    >>> tuple(round(limit, 4) for limit in tango_interval(1, 7, 21, 0.95))
    (-0.5172, -0.026)
    """
    if not (n > 0 and b >= 0 and c >= 0 and b + c <= n * (1 + 1e-9)):
        raise ValueError(f"{b} and {c} discordant of {n} pairs: expected n > 0, b >= 0, c >= 0 and b + c <= n")
    quantile = special.normal_quantile((1 + level) / 2)
    return tango_lower(b, c, n, quantile), -tango_lower(c, b, n, quantile)


def _paired(baseline_N: Scores, candidate_N: Scores, cluster_N: Clusters, unit: str, span: float | None) -> Pairs:
    baseline, candidate = as_finite(baseline_N, "baseline"), as_finite(candidate_N, "candidate")
    if len(baseline) != len(candidate):
        raise ValueError(f"{len(baseline)} baseline scores for {len(candidate)} candidate scores: pairs are needed")
    codes_N, n_clusters = cluster_codes(cluster_N, len(baseline))
    both = np.concatenate([baseline, candidate])
    binary = bool(np.isin(both, (0.0, 1.0)).all() or np.isin(both, (0.0, -1.0)).all())
    if span is None:
        span = 1.0 if unit == "share" or binary else range_or_size(both)
    difference_N = candidate - baseline
    span = max(span, float(np.abs(difference_N).max(initial=0.0)))
    return Pairs(difference_N, codes_N, n_clusters, binary, span, unit)


def _limits(pairs: Pairs, tail: float) -> Limits:
    """The one-sided limits at `tail` on each side, by the module's table."""
    if pairs.binary and pairs.independent:
        won, lost = float((pairs.difference_N > 0).sum()), float((pairs.difference_N < 0).sum())
        low, high = tango_interval(won, lost, pairs.n, 1 - 2 * tail)
        return Limits(low, high, "tango")
    if pairs.n_clusters == 1:
        whole = "one pair" if pairs.n == 1 else "all samples are in one cluster"
        return Limits(None, None, "t", f"{whole}, so no interval can be computed")
    if are_equal(pairs.difference_N):
        return _limits_of_equal(pairs, tail)
    sums_G = cluster_sums(pairs.difference_N, pairs.codes_N, pairs.n_clusters)
    differing = int((np.abs(sums_G) > 1e-12 * pairs.span).sum())
    if differing < min(FEW_DIFFERING_CLUSTERS, pairs.n_clusters / 2):
        return _limits_of_few(pairs, tail)
    half = _t_quantile(pairs, tail) * standard_error(pairs.difference_N, pairs.codes_N, pairs.n_clusters)
    return _within(pairs, pairs.mean - half, pairs.mean + half, "t" if pairs.independent else "t, CR1 by cluster")


def _limits_of_equal(pairs: Pairs, tail: float) -> Limits:
    """Every sample differs by the same amount: only what could not be seen in G clusters gives a width.

    A share of clusters moves the mean over samples by more than itself where the largest clusters are the ones that
    differ.
    """
    method = "no difference varies: the share of clusters that could differ unseen"
    if pairs.span == 0:
        return Limits(None, None, method, "all scores are 0, and nothing says how far one could lie from it")
    largest = float(np.bincount(pairs.codes_N).max()) * pairs.n_clusters / pairs.n
    half = pairs.span * min(1.0, unseen_share(pairs.n_clusters, tail) * largest)
    return _within(pairs, pairs.mean - half, pairs.mean + half, method)


def _limits_of_few(pairs: Pairs, tail: float) -> Limits:
    """Tango's limits at the counts of independent 0/1 pairs that would have the variance seen.

    The variance is the larger of that by cluster and that by sample: a few clusters may by chance show too little.
    """
    in_spans_N = pairs.difference_N / pairs.span
    won, lost = float(in_spans_N.clip(min=0).sum()), float(-in_spans_N.clip(max=0).sum())
    n = pairs.n
    by_sample = standard_error(in_spans_N, np.arange(n), n)
    error = max(by_sample, standard_error(in_spans_N, pairs.codes_N, pairs.n_clusters))
    shrunk = ((won + lost) / n**2 - (won - lost) ** 2 / n**3) / error**2
    quantile = _t_quantile(pairs, tail)
    low = tango_lower(won * shrunk, lost * shrunk, n * shrunk, quantile) * pairs.span
    high = -tango_lower(lost * shrunk, won * shrunk, n * shrunk, quantile) * pairs.span
    return _within(pairs, low, high, "tango at the effective counts of the few clusters that differ, t(G-1)")


def _t_quantile(pairs: Pairs, tail: float) -> float:
    return float(special.stdtrit(pairs.n_clusters - 1, 1 - tail))


def _within(pairs: Pairs, low: float, high: float, method: str) -> Limits:
    """The limits, kept within what a difference of shares can be."""
    if pairs.unit == "share" or pairs.binary:
        low, high = max(-1.0, low), min(1.0, high)
    return Limits(low, high, method)


def _binomial_at_least(successes: int, trials: int) -> float:
    """Chance of at least this many heads in so many tosses of a fair coin."""
    return 1.0 if successes == 0 else float(special.bdtrc(successes - 1, trials, 0.5))
