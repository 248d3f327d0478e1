"""Intervals by resampling clusters.

Two forms. `bootstrap` takes any function of samples and calls it once a draw. `Totals` and `interval` are for
statistics that depend on sums over samples (cell counts, moments): all statistics of a slice share one set of draws,
each a few matrix products. Clusters with the same sums are one pattern, so 2,250 samples on a 3 x 3 table are 9
patterns, and neither the order of the samples nor the names of the clusters moves a draw.

BCa by default, at every n: where few samples disagree percentiles are too short. With 200 samples and 97.5 % agreement
they cover AC1 .87 of the time and Matthews .90, BCa .97 and .96; with 30 samples and kappa .59, .915 and .963. A
replicate in which the statistic is 0/0 is left out and said; above 5 % of them there is no interval.
Source: Efron 1987 (BCa); Field and Welsh 2007 (clusters resampled whole).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalkit.core.estimate import Estimate, undefined
from evalkit.stats import special
from evalkit.stats.clusters import Clusters, Floats, Integers, cluster_codes

FEWEST_CLUSTERS = 5
"""Below this many there are too few different draws for an interval."""

MOST_UNDEFINED = 0.05
"""Share of undefined replicates above which there is no interval."""

CHUNK_CELLS = 4_000_000
"""Numbers held at once while drawing: 32 MB."""

Method = Literal["bca", "percentile"]


@dataclass(frozen=True)
class Interval:
    """Ends of an interval, or None with the reason, and how it was found."""

    low: float | None
    high: float | None
    method: str
    reason: str | None = None


@dataclass(frozen=True)
class Totals:
    """The sums a statistic is made of: as observed, resampled, and with one cluster left out."""

    observed_F: Floats
    drawn_BF: Floats
    left_out_PF: Floats
    """One row a pattern: the observed sums without one cluster of it."""
    left_out_counts_P: Integers
    n_clusters: int
    how: str
    """`2000 draws by sample, seed 0`."""


def describe_draws(n_draws: int, by_cluster: bool, rng: np.random.Generator) -> str:
    """How the draws were made, with the seed where the generator came from a plain one.

    >>> describe_draws(2000, False, np.random.default_rng(7))
    '2000 draws by sample, seed 7'
    """
    source: Any = getattr(rng.bit_generator, "seed_seq", None)
    entropy, spawned = getattr(source, "entropy", None), getattr(source, "spawn_key", ())
    seed = f", seed {entropy}" + "".join(f".{key}" for key in spawned) if isinstance(entropy, int) else ""
    return f"{n_draws} draws by {'cluster' if by_cluster else 'sample'}{seed if len(seed) < 40 else ''}"


def draw_totals(
    sums_PF: Floats, counts_P: Integers, *, n_draws: int, by_cluster: bool, rng: np.random.Generator
) -> Totals:
    """Resample clusters with replacement.

    sums_PF: the sums of one cluster of each pattern. counts_P: how many clusters have that pattern.
    """
    n_clusters = int(counts_P.sum())
    observed_F = counts_P @ sums_PF
    parts = [weights_bP @ sums_PF for weights_bP in _weights(counts_P, n_clusters, n_draws, rng)]
    return Totals(
        observed_F=observed_F,
        drawn_BF=np.concatenate(parts) if parts else np.empty((0, sums_PF.shape[1])),
        left_out_PF=observed_F - sums_PF,
        left_out_counts_P=counts_P,
        n_clusters=n_clusters,
        how=describe_draws(n_draws, by_cluster, rng),
    )


def _weights(counts_P: Integers, n_clusters: int, n_draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each pattern is drawn, some draws at a time: a multinomial, or counted picks where they are faster."""
    n_patterns = len(counts_P)
    step = max(1, CHUNK_CELLS // max(n_patterns, 1))
    pattern_of_G = np.repeat(np.arange(n_patterns), counts_P)
    for start in range(0, n_draws, step):
        size = min(step, n_draws - start)
        if n_patterns * 16 <= n_clusters:
            yield rng.multinomial(n_clusters, counts_P / n_clusters, size=size).astype(np.float64)
            continue
        weights_bP = np.empty((size, n_patterns))
        for row in range(size):
            picks = pattern_of_G[rng.integers(0, n_clusters, n_clusters)]
            weights_bP[row] = np.bincount(picks, minlength=n_patterns)
        yield weights_bP


def patterns(sums_GF: Floats) -> tuple[Floats, Integers]:
    """The different rows of the clusters' sums, sorted, and how many clusters have each.

    Rows are the same up to the last digits, where the order of adding shows.
    """
    if len(sums_GF) == 0:
        return sums_GF, np.empty(0, dtype=np.int64)
    largest_F = np.abs(sums_GF).max(axis=0)
    rounded_GF = np.round(sums_GF / np.where(largest_F > 0, largest_F, 1.0), 12)
    order = np.lexsort(rounded_GF.T[::-1])
    sorted_GF = rounded_GF[order]
    is_new_G = np.concatenate([[True], (sorted_GF[1:] != sorted_GF[:-1]).any(axis=1)])
    starts_P = np.flatnonzero(is_new_G)
    return sums_GF[order[starts_P]], np.diff(np.append(starts_P, len(sums_GF)))


def interval(
    value: float,
    drawn_B: Floats,
    left_out_P: Floats,
    left_out_counts_P: Integers,
    *,
    n_clusters: int,
    level: float,
    how: str,
) -> Interval:
    """The interval of one statistic from its replicates (NaN = undefined there) and its leave-one-cluster-out values.

    left_out_P: empty for percentiles instead of BCa. low == high is possible here (a judge that never disagrees):
        whoever calls must widen it.
    """
    defined_B = drawn_B[np.isfinite(drawn_B)]
    n_undefined = len(drawn_B) - len(defined_B)
    chosen = "bca" if len(left_out_P) else "percentile"
    said = f"bootstrap {chosen}, {how}" + (f", undefined in {n_undefined}" if n_undefined else "")
    if n_clusters < FEWEST_CLUSTERS:
        return Interval(
            None, None, said, f"{n_clusters} resampled units: at least {FEWEST_CLUSTERS} are needed for an interval"
        )
    if len(drawn_B) == 0:
        return Interval(
            None, None, "", "no draws were made: none were asked for, or there are too many different labels"
        )
    if len(defined_B) == 0 or n_undefined > MOST_UNDEFINED * len(drawn_B):
        return Interval(
            None, None, said, f"undefined in {n_undefined} of {len(drawn_B)} bootstrap draws: too few samples of a kind"
        )
    tails = _expanded_tails(n_clusters, level)
    if chosen == "bca":
        tails = _corrected_tails(value, defined_B, left_out_P, left_out_counts_P, tails)
    low, high = np.quantile(defined_B, tails)
    return Interval(min(float(low), value), max(float(high), value), said)


def _expanded_tails(n_clusters: int, level: float) -> Floats:
    """Quantiles to read: those of t(G-1) and of a variance over G - 1, which resampling G clusters makes too small.

    Source: Hesterberg 2015, The American Statistician 69:371-386 (expanded percentiles).
    """
    widened = math.sqrt(n_clusters / (n_clusters - 1)) * special.stdtrit(n_clusters - 1, (1 + level) / 2)
    return np.asarray(special.ndtr([-widened, widened]), dtype=np.float64)


def _corrected_tails(value: float, defined_B: Floats, left_out_P: Floats, counts_P: Integers, tails: Floats) -> Floats:
    """BCa: tails corrected for bias (share of replicates below the value; ties half) and acceleration (jackknife)."""
    # A replicate that differs by rounding alone is a tie, or the order of adding would move the interval.
    slack = 1e-10 * max(1.0, abs(value))
    is_below_B, is_tied_B = defined_B < value - slack, np.abs(defined_B - value) <= slack
    below = (float(is_below_B.sum()) + 0.5 * float(is_tied_B.sum())) / len(defined_B)
    edge = 0.5 / len(defined_B)
    bias = float(special.ndtri(min(max(below, edge), 1 - edge)))
    usable_P = np.isfinite(left_out_P)
    weights_P, left_P = counts_P[usable_P], left_out_P[usable_P]
    acceleration = 0.0
    if len(left_P):
        distance_P = np.average(left_P, weights=weights_P) - left_P
        squares = float(weights_P @ distance_P**2)
        if squares > 0:
            acceleration = float(weights_P @ distance_P**3) / (6 * squares**1.5)
    shifted = bias + special.ndtri(tails)
    denominator = 1 - acceleration * shifted
    corrected: Floats = special.ndtr(bias + shifted / np.where(denominator > 1e-3, denominator, 1e-3))
    return corrected


def bootstrap(
    statistic: Callable[[npt.NDArray[np.intp]], float],
    n: int,
    *,
    cluster_N: Clusters = None,
    n_draws: int = 2000,
    level: float = 0.95,
    method: Method = "bca",
    unit: str = "",
    rng: np.random.Generator,
) -> Estimate:
    """Any statistic of samples with an interval by resampling clusters (samples where cluster_N is None).

    statistic: takes indices into the samples, shape (M,), with repeats; returns a float, NaN where it is undefined.
    An interval without width (all replicates equal) is given as None with the reason.
    Raises ValueError when cluster_N has another length than n.

    >>> values = np.arange(40.0)
    >>> print(bootstrap(lambda picked: float(np.median(values[picked])), 40, rng=np.random.default_rng(0)))
    19.5 [13, 25.5], n = 40
    """
    codes_N, n_clusters = cluster_codes(cluster_N, n)
    given = None if cluster_N is None else n_clusters
    how = describe_draws(n_draws, n_clusters < n, rng)
    value = statistic(np.arange(n)) if n else math.nan
    if not math.isfinite(value):
        return undefined("no samples" if n == 0 else "the statistic is undefined on these samples", n=n, unit=unit)
    members = np.split(np.argsort(codes_N, kind="stable"), np.cumsum(np.bincount(codes_N))[:-1])
    drawn_B = np.array([_on(statistic, members, rng.integers(0, n_clusters, n_clusters)) for _ in range(n_draws)])
    everyone = np.arange(n_clusters)
    jackknifed = everyone if method == "bca" and n_clusters > 1 else everyone[:0]
    left_out = [_on(statistic, members, np.delete(everyone, one)) for one in jackknifed]
    found = interval(
        value,
        drawn_B,
        np.array(left_out, dtype=np.float64),
        np.ones(len(left_out), dtype=np.int64),
        n_clusters=n_clusters,
        level=level,
        how=how,
    )
    if found.low is not None and found.low == found.high:
        found = Interval(None, None, found.method, "every draw gives the same value, which says nothing of its spread")
    return Estimate(
        value=value,
        low=found.low,
        high=found.high,
        level=level,
        n=n,
        n_clusters=given,
        method=found.method,
        unit=unit,
        reason=found.reason,
    )


def _on(
    statistic: Callable[[npt.NDArray[np.intp]], float], members: list[npt.NDArray[np.intp]], clusters: npt.NDArray[Any]
) -> float:
    """The statistic on the samples of these clusters."""
    return statistic(np.concatenate([members[cluster] for cluster in clusters]))
