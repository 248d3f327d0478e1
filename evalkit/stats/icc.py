"""Intraclass correlation of raters (rows) over samples (columns), complete ratings, two-way analysis of variance.

    1_1, 1_k   every sample rated by other raters         absolute agreement
    2_1, 2_k   the raters are a random sample of raters    absolute agreement (a rater's bias counts against it)
    3_1, 3_k   these raters are all there are              consistency (a rater's bias does not count)

`_1` is the reliability of one rater, `_k` of the mean of the k raters. Source: Shrout and Fleiss 1979.
"""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from evalkit.stats.clusters import Floats
from evalkit.stats.tables import ratio

Form = Literal["1_1", "2_1", "3_1", "1_k", "2_k", "3_k"]


def icc(ratings_AN: npt.ArrayLike, form: Form = "2_1") -> float | None:
    """Intraclass correlation of A raters over N samples; None where it is 0/0 or with fewer than two raters or samples.

    Raises ValueError where a rating is missing: take the samples that all have rated.

    >>> shrout_fleiss = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]
    >>> [round(icc(shrout_fleiss, form), 2) for form in ("1_1", "2_1", "3_1", "1_k", "2_k", "3_k")]
    [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    """
    ratings = np.asarray(ratings_AN, dtype=np.float64)
    if ratings.ndim != 2:
        raise ValueError(f"ratings need raters in rows and samples in columns, got shape {ratings.shape}")
    if not np.isfinite(ratings).all():
        raise ValueError("an intraclass correlation needs a rating of every sample by every rater")
    if min(ratings.shape) < 2:
        return None
    centre, scale = centre_and_scale(ratings)
    sums_F = variance_sums((ratings - centre) / scale).sum(axis=0)
    value = float(icc_of_sums(sums_F[np.newaxis], len(ratings), form)[0])
    return value if math.isfinite(value) else None


def centre_and_scale(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation of all values (1 where they are equal), so that sums of squares keep their digits."""
    spread = float(values.std())
    return float(values.mean()), spread if spread > 1e-12 * max(1.0, float(np.abs(values).max())) else 1.0


def variance_sums(ratings_AN: Floats) -> Floats:
    """What the analysis of variance adds up, one row a sample: 1, squared sum, sum of squares, and each rater's rating.

    Shape (N, 3 + A).
    """
    ones_N = np.ones(ratings_AN.shape[1])
    return np.column_stack([ones_N, ratings_AN.sum(axis=0) ** 2, (ratings_AN**2).sum(axis=0), ratings_AN.T])


def icc_of_sums(sums_BF: Floats, n_raters: int, form: Form) -> Floats:
    """Intraclass correlation from the added rows of `variance_sums`, shape (B, 3 + A)."""
    count_B, squared_sums_B, squares_B, raters_BA = sums_BF[:, 0], sums_BF[:, 1], sums_BF[:, 2], sums_BF[:, 3:]
    k = n_raters
    grand_B = ratio(raters_BA.sum(axis=1) ** 2, k * count_B)
    between_samples_B = squared_sums_B / k - grand_B
    between_raters_B = ratio((raters_BA**2).sum(axis=1), count_B) - grand_B
    rest_B = squares_B - grand_B - between_samples_B - between_raters_B
    samples_B = ratio(between_samples_B, count_B - 1)
    raters_B = between_raters_B / (k - 1)
    error_B = ratio(rest_B, (count_B - 1) * (k - 1))
    within_B = ratio(between_raters_B + rest_B, count_B * (k - 1))
    if form == "1_1":
        return _quotient(samples_B - within_B, samples_B + (k - 1) * within_B)
    if form == "1_k":
        return _quotient(samples_B - within_B, samples_B)
    if form == "2_1":
        return _quotient(samples_B - error_B, samples_B + (k - 1) * error_B + k * ratio(raters_B - error_B, count_B))
    if form == "2_k":
        return _quotient(samples_B - error_B, samples_B + ratio(raters_B - error_B, count_B))
    if form == "3_1":
        return _quotient(samples_B - error_B, samples_B + (k - 1) * error_B)
    return _quotient(samples_B - error_B, samples_B)


def _quotient(numerator_B: Floats, denominator_B: Floats) -> Floats:
    """0/0 by rounding is NaN: the values are scaled to a standard deviation of 1."""
    return ratio(numerator_B, np.where(np.abs(denominator_B) > 1e-9, denominator_B, 0.0))
