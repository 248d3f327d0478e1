"""Two raters' numbers of the same samples (or places on an ordinal scale): correlation, errors, reliability.

Statistics of moments get their interval by the jackknife (jackknife.py), rank correlations from influence values
(correlation.py): both go by cluster, neither draws anything.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from evalkit.core.estimate import Estimate
from evalkit.stats import moments
from evalkit.stats.clusters import Floats
from evalkit.stats.correlation import (
    Influence,
    kendall_at_worst,
    kendall_influence,
    rank_interval,
    spearman_at_worst,
    spearman_influence,
)
from evalkit.stats.icc import centre_and_scale
from evalkit.stats.jackknife import Near, OfMoments, jackknife_estimates
from evalkit.stats.shared_draws import Sampling, to_estimate, undefined_estimate

RANK_STATISTICS: dict[str, tuple[Influence, Callable[[float], float]]] = {
    "spearman": (spearman_influence, spearman_at_worst),
    "kendall_tau_b": (kendall_influence, kendall_at_worst),
}


def number_estimates(
    reference_N: Floats, judge_N: Floats, sampling: Sampling, *, ends: tuple[float, float] | None = None
) -> dict[str, Estimate]:
    """All statistics of two columns of numbers, shape (N,) each.

    ends: lowest and highest number of the scale, where it is known; None takes those that occur.
    """
    both = np.concatenate([reference_N, judge_N])
    centre, scale = centre_and_scale(both) if len(both) else (0.0, 1.0)
    low, high = ends or ((float(both.min()), float(both.max())) if len(both) else (0.0, 0.0))
    corners = (np.array([low, high]) - centre) / scale
    unseen_M7 = moments.pair_moments(np.repeat(corners, 2), np.tile(corners, 2))
    sums_N7 = moments.pair_moments((reference_N - centre) / scale, (judge_N - centre) / scale)
    result = jackknife_estimates(_of_moments(scale), sums_N7, unseen_M7, sampling.basis(), sampling)
    return result | {name: _rank_estimate(name, reference_N, judge_N, sampling) for name in RANK_STATISTICS}


def _of_moments(scale: float) -> dict[str, OfMoments]:
    """Statistics of the seven sums; errors are given back in the scale's own unit."""
    return {
        "pearson": OfMoments(moments.pearson_of_moments, Near.FISHER_Z),
        "mean_absolute_error": OfMoments(
            lambda sums_B7: scale * moments.mean_absolute_error_of_moments(sums_B7), Near.LOG
        ),
        "bias": OfMoments(lambda sums_B7: scale * moments.mean_error_of_moments(sums_B7), Near.AS_IT_IS),
        "krippendorff_alpha_interval": OfMoments(moments.alpha_of_moments, Near.FISHER_Z),
        "icc_2_1": OfMoments(partial(moments.icc_of_moments, form="2_1"), Near.FISHER_Z),
        "icc_2_k": OfMoments(partial(moments.icc_of_moments, form="2_k"), Near.LOG_OF_REST),
        "icc_3_1": OfMoments(partial(moments.icc_of_moments, form="3_1"), Near.FISHER_Z),
    }


def _rank_estimate(name: str, reference_N: Floats, judge_N: Floats, sampling: Sampling) -> Estimate:
    basis, level = sampling.basis(), sampling.level
    influence, at_worst = RANK_STATISTICS[name]
    value, influence_N = influence(reference_N, judge_N) if basis.n > 1 else (float("nan"), np.empty(0))
    if not np.isfinite(value):
        return undefined_estimate(name, basis, level)
    found = rank_interval(value, influence_N, sampling.codes_N, basis.n_clusters, level=level, unseen_worst=at_worst)
    return to_estimate(name, value, found, basis, level)
