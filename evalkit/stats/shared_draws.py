"""Many statistics of one slice from one set of draws, each as an Estimate.

Every statistic here is a function of sums over samples. Where all draws give one value (a judge that never disagrees,
or one that always says the same) the bootstrap shows no spread, but a share of clusters that could not be seen may
still differ: the interval then reaches to the worst and the best that share could do, and the method says so.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalkit.core.estimate import Estimate
from evalkit.stats.bootstrap import CHUNK_CELLS, Interval, Totals, draw_totals, interval, patterns
from evalkit.stats.clusters import Floats, Integers, cluster_sums, unseen_share

Mask = npt.NDArray[np.bool_]

OfSums = Callable[[Floats], Floats]
"""From sums of shape (B, F) to values of shape (B,), NaN where undefined."""

MOST_LEFT_OUT_CELLS = 20_000_000
"""Numbers up to which every pattern of clusters is left out once, for BCa; with more, percentiles."""

NO_VARIATION = "one side never varies"
ONE_LABEL = "one label throughout: agreement by chance is already complete (0/0)"

WHY_UNDEFINED = {
    "accuracy": "no samples",
    "balanced_accuracy": "the reference has fewer than two of the labels",
    "cohen_kappa": ONE_LABEL,
    "cohen_kappa_linear": ONE_LABEL,
    "cohen_kappa_quadratic": ONE_LABEL,
    "f1": "neither the reference nor the judge has a positive",
    "fleiss_kappa": ONE_LABEL,
    "gwet_ac1": "the scale has one label only (0/0)",
    "icc_2_1": "the ratings never vary (0/0), or there are fewer than two samples",
    "icc_2_k": "the ratings never vary (0/0), or there are fewer than two samples",
    "icc_3_1": "the ratings never vary (0/0), or there are fewer than two samples",
    "krippendorff_alpha_interval": "the ratings never vary (0/0)",
    "krippendorff_alpha_nominal": ONE_LABEL,
    "krippendorff_alpha_ordinal": ONE_LABEL,
    "macro_precision": "the judge never says a label that the reference has (0/0)",
    "macro_recall": "the reference never has a label that the judge says (0/0)",
    "matthews_correlation": NO_VARIATION,
    "pearson": NO_VARIATION,
    "precision": "the judge never says the positive label",
    "recall": "the reference has no positive",
    "spearman": NO_VARIATION,
    "kendall_tau_b": NO_VARIATION,
    "true_negative_rate": "the reference has no negative",
    "true_positive_rate": "the reference has no positive",
}

SHARES = {
    "accuracy",
    "balanced_accuracy",
    "f1",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "percent_agreement",
    "precision",
    "recall",
    "true_negative_rate",
    "true_positive_rate",
}
"""Statistics whose unit is `share`."""


@dataclass(frozen=True)
class Basis:
    """What an estimate rests on."""

    n: int
    n_clusters: int
    by_cluster: bool
    """Clusters were given: the estimate names their number."""
    n_missing: int = 0


@dataclass(frozen=True)
class Draws:
    """Observed and resampled sums, and the samples that could stand unseen."""

    totals: Totals
    expand: Callable[[Floats], Floats]
    """From the sums as drawn (columns that occur) to the sums as the statistics read them."""
    unseen_MF: Floats
    """Sums of one sample of every kind that might occur unseen, as the statistics read them."""


@dataclass(frozen=True)
class Sampling:
    """How the samples of a slice are resampled, and how much is drawn."""

    codes_N: Integers
    """Cluster of each sample, 0..G-1."""
    n_clusters: int
    by_cluster: bool
    """Clusters were given: estimates name their number."""
    n_draws: int
    level: float
    rng: np.random.Generator

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.codes_N)

    @property
    def independent(self) -> bool:
        """No cluster holds more than one sample."""
        return self.n == self.n_clusters

    def basis(self, counted_N: Mask | None = None) -> Basis:
        """What an estimate over these samples rests on; None = all of them. The others are missing."""
        if counted_N is None:
            return Basis(self.n, self.n_clusters, self.by_cluster)
        n = int(counted_N.sum())
        return Basis(n, len(np.unique(self.codes_N[counted_N])), self.by_cluster, self.n - n)

    def by_clusters(self, sums_NF: Floats) -> Floats:
        """Added up by cluster, shape (G, F)."""
        return np.column_stack([cluster_sums(column_N, self.codes_N, self.n_clusters) for column_N in sums_NF.T])

    def draw(self, sums_NF: Floats, unseen_MF: Floats) -> Draws:
        """Resample clusters, each with the sums of its samples."""
        sums_PF, counts_P = patterns(self.by_clusters(sums_NF))
        totals = draw_totals(sums_PF, counts_P, n_draws=self.n_draws, by_cluster=not self.independent, rng=self.rng)
        return Draws(totals, _as_they_are, unseen_MF)


def _as_they_are(sums_BF: Floats) -> Floats:
    return sums_BF


def estimate_all(statistics: Mapping[str, OfSums], draws: Draws, basis: Basis, level: float) -> dict[str, Estimate]:
    """An Estimate of each statistic."""
    totals = draws.totals
    observed = _evaluate(statistics, draws, totals.observed_F[np.newaxis])
    drawn = _evaluate(statistics, draws, totals.drawn_BF)
    rows = len(totals.left_out_PF) if len(totals.left_out_PF) * draws.unseen_MF.shape[1] <= MOST_LEFT_OUT_CELLS else 0
    left_out = _evaluate(statistics, draws, totals.left_out_PF[:rows])
    result = {}
    for name, function in statistics.items():
        value = float(observed[name][0])
        if not math.isfinite(value):
            result[name] = undefined_estimate(name, basis, level)
            continue
        found = interval(
            value,
            drawn[name],
            left_out[name],
            totals.left_out_counts_P[:rows],
            n_clusters=basis.n_clusters,
            level=level,
            how=totals.how,
        )
        if found.low is not None and found.high is not None and found.high - found.low < 1e-12:
            whole_F = draws.expand(totals.observed_F[np.newaxis])[0]
            found = unseen_interval(function, value, whole_F, draws.unseen_MF, basis, level)
        result[name] = to_estimate(name, value, found, basis, level)
    return result


def to_estimate(name: str, value: float, found: Interval, basis: Basis, level: float) -> Estimate:
    """A statistic's value and interval as an Estimate."""
    return Estimate(
        value=value,
        low=found.low,
        high=found.high,
        level=level,
        n=basis.n,
        n_clusters=basis.n_clusters if basis.by_cluster else None,
        n_missing=basis.n_missing,
        method=found.method,
        unit="share" if name in SHARES else "",
        reason=found.reason,
    )


def undefined_estimate(name: str, basis: Basis, level: float, reason: str | None = None) -> Estimate:
    """A statistic that is 0/0 here, with the reason."""
    return Estimate(
        value=None,
        level=level,
        n=basis.n,
        n_clusters=basis.n_clusters if basis.by_cluster else None,
        n_missing=basis.n_missing,
        unit="share" if name in SHARES else "",
        reason=reason or ("no samples" if basis.n == 0 else WHY_UNDEFINED.get(name, "0/0 on these samples")),
    )


def imagined_labels(often_K: Integers) -> Integers:
    """Labels among which unseen samples are imagined: the ends of the scale and those most often given, up to 14."""
    common = np.argsort(-often_K, kind="stable")[:12]
    return np.unique(np.concatenate([common, [0, len(often_K) - 1]]))


def _evaluate(statistics: Mapping[str, OfSums], draws: Draws, sums_BF: Floats) -> dict[str, Floats]:
    """Every statistic on every row, some rows at a time."""
    step = max(1, CHUNK_CELLS // max(1, draws.unseen_MF.shape[1]))
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for start in range(0, len(sums_BF), step):
        expanded = draws.expand(sums_BF[start : start + step])
        for name, function in statistics.items():
            parts[name].append(function(expanded))
    return {name: np.concatenate(part) if part else np.empty(0) for name, part in parts.items()}


def unseen_interval(
    function: OfSums, value: float, observed_F: Floats, unseen_MF: Floats, basis: Basis, level: float
) -> Interval:
    """From the worst to the best that the share of clusters which G equal ones cannot rule out could do.

    observed_F: the sums over all samples. unseen_MF: the sums of one sample of every kind that might stand unseen.
    """
    share = unseen_share(basis.n_clusters, (1 - level) / 2)
    mixed_MF = (1 - share) * observed_F + share * basis.n * unseen_MF
    values_M = function(mixed_MF)
    ends = np.append(values_M[np.isfinite(values_M)], value)
    if np.ptp(ends) < 1e-12:
        return Interval(None, None, "", "nothing varies, and no other label is known that could stand unseen")
    unit = "clusters" if basis.by_cluster else "samples"
    method = f"nothing varies: the share of {unit} that could differ unseen, {share:.3g}, at its worst and best"
    return Interval(float(ends.min()), float(ends.max()), method)
