"""What each sample adds to the sums that agreement is computed from: confusion cells, coincidences and moments.

The statistics of these sums live in stats (kappa.py, alpha.py, moments.py); here a sample whose rating is missing adds
nothing, so that judge and raters may leave different gaps.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.scale import Scale
from evalkit.stats.kappa import disagreement_weights, kappa_of_tables
from evalkit.stats.moments import pair_moments
from evalkit.stats.tables import ratio

Floats = NDArray[np.float64]
Metric = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "linear", "quadratic"]

PAIR_MOMENTS = 7
"""Addends of one pair of numbers, see stats/moments.py."""


def metric_of(scale: Scale) -> Metric:
    """The metric of alpha that fits a scale."""
    if scale.kind == "interval" or scale.kind == "ordinal":
        return scale.kind
    return "nominal"


def kappa(confusion_BKK: Floats, weights: Weights = "none") -> Floats:
    """Cohen's kappa of confusion matrices, shape (...).

    >>> kappa(np.array([[[40.0, 9.0], [6.0, 45.0]]])).round(4)
    array([0.6995])
    """
    return kappa_of_tables(confusion_BKK, disagreement_weights(confusion_BKK.shape[-1], weights))


def pair_counts(reference_N: NDArray[np.int16], judge_N: NDArray[np.int16], n_labels: int) -> Floats:
    """Addends of a confusion matrix (rows: reference), shape (N, K * K); all zero where either is missing (-1)."""
    counts_NF = np.zeros((reference_N.size, n_labels * n_labels))
    both_N = (reference_N >= 0) & (judge_N >= 0)
    cell_N = reference_N.astype(np.int64) * n_labels + judge_N
    counts_NF[np.flatnonzero(both_N), cell_N[both_N]] = 1
    return counts_NF


def coincidence_counts(ratings_AN: NDArray[np.int16], n_labels: int) -> Floats:
    """Addends of the coincidence matrix, shape (N, K * K); samples with fewer than two ratings add nothing."""
    counts_NK = np.stack([(ratings_AN == label).sum(axis=0) for label in range(n_labels)], axis=1).astype(float)
    pairs_NKK = counts_NK[:, :, None] * counts_NK[:, None, :]
    places = np.arange(n_labels)
    pairs_NKK[:, places, places] -= counts_NK
    m_N = counts_NK.sum(axis=1)
    return np.asarray((pairs_NKK / np.maximum(m_N - 1, 1)[:, None, None]).reshape(len(m_N), -1))


def gapped_pair_moments(x_N: Floats, y_N: Floats) -> Floats:
    """Addends of `pair_moments`, shape (N, 7); zero where either number is missing (nan)."""
    both_N = np.isfinite(x_N) & np.isfinite(y_N)
    return np.asarray(pair_moments(np.where(both_N, x_N, 0.0), np.where(both_N, y_N, 0.0)) * both_N[:, None])


def rater_moments(ratings_AN: Floats) -> Floats:
    """Addends (m, sum, sum of squares, spread within the sample), shape (N, 4); zero for fewer than two ratings."""
    there_AN = np.isfinite(ratings_AN)
    filled_AN = np.where(there_AN, ratings_AN, 0.0)
    m_N, sum_N, squares_N = there_AN.sum(axis=0).astype(float), filled_AN.sum(axis=0), (filled_AN**2).sum(axis=0)
    within_N = 2 * (m_N * squares_N - sum_N**2) / np.maximum(m_N - 1, 1)
    return np.asarray(np.stack([m_N, sum_N, squares_N, within_N], axis=1) * (m_N >= 2)[:, None])


def alpha_of_rater_moments(moments_B4: Floats) -> Floats:
    """Krippendorff's interval alpha of any number of raters with gaps, from the sums of `rater_moments`; shape (B,).

    The form without a matrix of values: spread within samples over the spread of all pairable values.
    """
    n_B, sum_B, squares_B, within_B = np.moveaxis(moments_B4, -1, 0)
    total_B = squares_B - ratio(sum_B**2, n_B)
    return 1 - ratio(ratio(within_B, n_B), ratio(2 * total_B, n_B - 1))
