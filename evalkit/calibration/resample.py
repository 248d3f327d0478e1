"""Several statistics from one set of bootstrap draws, for statistics that depend on sums alone.

Kappa, alpha, recall and Pearson's r are functions of sums over the samples (a confusion matrix, coincidences, moments).
Clusters are drawn whole; statistics of one call are paired: the same draws of the same clusters.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.settings import Drawing
from evalkit.core.estimate import Estimate, undefined
from evalkit.stats.bootstrap import Interval, Totals, draw_totals, interval, patterns
from evalkit.stats.clusters import unseen_share

Floats = NDArray[np.float64]

Statistic = Callable[[Floats], Floats]
"""Sums of shape (B, F) -> statistics of shape (B, S); nan where undefined."""

NO_WIDTH = 1e-12


def resampled(
    features_NF: Floats,
    cluster_N: NDArray[np.int64],
    statistic: Statistic,
    drawing: Drawing,
    *names: object,
    unseen_MF: Floats,
    undefined_because: str,
) -> list[Estimate]:
    """An estimate of each of the S statistics.

    features_NF: shape (N, F), addends of each sample. cluster_N: shape (N,). names: what the draws are seeded by.
    unseen_MF: addends of samples that might occur unseen, for a statistic that no draw changes; empty = no interval
    then.
    n counts the rows, n_clusters the clusters; `undefined_because` is the reason where a statistic is 0 / 0.
    """
    _, codes_N = np.unique(cluster_N, return_inverse=True)
    n_clusters = int(codes_N.max()) + 1
    sums_GF = np.zeros((n_clusters, features_NF.shape[1]))
    np.add.at(sums_GF, codes_N, features_NF)
    sums_PF, counts_P = patterns(sums_GF)
    by_cluster = n_clusters < len(cluster_N)
    totals = draw_totals(sums_PF, counts_P, n_draws=drawing.n_draws, by_cluster=by_cluster, rng=drawing.rng(*names))
    found_S = statistic(totals.observed_F[None, :])[0]
    drawn_BS, left_out_PS = statistic(totals.drawn_BF), statistic(totals.left_out_PF)
    estimates = []
    for number, value in enumerate(found_S):
        if not np.isfinite(value):
            estimates.append(undefined(undefined_because, n=len(cluster_N)))
            continue
        found = interval(
            float(value),
            drawn_BS[:, number],
            left_out_PS[:, number],
            totals.left_out_counts_P,
            n_clusters=n_clusters,
            level=drawing.level,
            how=totals.how,
        )
        if found.low is not None and found.high is not None and found.high - found.low < NO_WIDTH:
            found = _unseen(statistic, number, float(value), totals, unseen_MF * len(cluster_N), drawing.level)
        estimates.append(
            Estimate(
                value=float(value),
                low=found.low,
                high=found.high,
                level=drawing.level,
                n=len(cluster_N),
                n_clusters=n_clusters,
                method=found.method,
                reason=found.reason,
            )
        )
    return estimates


def _unseen(
    statistic: Statistic, number: int, value: float, totals: Totals, unseen_MF: Floats, level: float
) -> Interval:
    """No draw differs: the interval reaches to the worst and best of what could be there without having been seen."""
    if not len(unseen_MF):
        return Interval(None, None, totals.how, "every draw gives the same value, which says nothing of its spread")
    share = unseen_share(totals.n_clusters, (1 - level) / 2)
    mixed_M = statistic((1 - share) * totals.observed_F + share * unseen_MF)[:, number]
    ends = [*mixed_M[np.isfinite(mixed_M)], value]
    method = f"every draw gives the same: the share that could differ unseen, {share:.3g}, at its worst and best"
    return Interval(float(min(ends)), float(max(ends)), method)
