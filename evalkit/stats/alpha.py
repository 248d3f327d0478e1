"""Krippendorff's alpha: agreement among any number of raters, with missing ratings, on four kinds of scale.

alpha = 1 - D_observed / D_expected, over pairs of ratings of the same sample and over all pairs of ratings. Samples
with one rating make no pair and do not count. Ordinal distance is the distance of midranks among the pairable
ratings, so ordinal and interval alpha need neither a table of values by values nor more than n log n steps.
Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; Content Analysis, chapter 12.
"""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalkit.stats.clusters import Floats, Integers
from evalkit.stats.codes import as_numbers, as_text, is_missing
from evalkit.stats.tables import agreeing_of_tables, ratio

Metric = Literal["nominal", "ordinal", "interval", "ratio"]

ROWS_AT_ONCE = 2_000_000
"""Numbers held at once for the ratio metric, whose expected distance has no short form."""


def krippendorff_alpha(ratings_AN: npt.ArrayLike, metric: Metric = "nominal") -> float | None:
    """Alpha of A raters (rows) and N samples (columns); None or NaN is a missing rating.

    nominal takes any labels; the others take numbers (for an ordinal scale of labels: their places, 0, 1, 2, ...).
    None where no two ratings of a sample exist, or all ratings are one value (0/0).
    Raises ValueError for a metric other than nominal on values that are no numbers, and for ratio on negative ones.

    >>> coder_1 = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    >>> coder_2 = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    >>> coder_3 = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    >>> coder_4 = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    >>> ratings = [coder_1, coder_2, coder_3, coder_4]
    >>> [round(krippendorff_alpha(ratings, metric), 3) for metric in ("nominal", "ordinal", "interval", "ratio")]
    [0.743, 0.815, 0.849, 0.797]
    """
    array_AN = np.asarray(ratings_AN, dtype=object)
    if array_AN.ndim != 2:
        raise ValueError(f"ratings need raters in rows and samples in columns, got shape {array_AN.shape}")
    values_AN = nominal_codes(array_AN) if metric == "nominal" else as_numbers(array_AN)
    samples_R, values_R = pairable_ratings(values_AN)
    if len(values_R) == 0:
        return None
    if metric == "nominal":
        value = _nominal_alpha(samples_R, values_R)
    elif metric == "ratio":
        value = _ratio_alpha(samples_R, values_R)
    else:
        value = _interval_alpha(samples_R, midranks(values_R) if metric == "ordinal" else values_R)
    return value if math.isfinite(value) else None


def nominal_codes(labels_AN: npt.NDArray[Any]) -> Floats:
    """Any labels as numbers 0, 1, ... by their text; missing is NaN."""
    known: dict[str, int] = {}
    coded = [
        math.nan if is_missing(label) else known.setdefault(as_text(label), len(known)) for label in labels_AN.flat
    ]
    return np.array(coded, dtype=np.float64).reshape(labels_AN.shape)


def pairable_ratings(values_AN: Floats) -> tuple[Integers, Floats]:
    """Sample and value of every rating whose sample has two or more, as two flat arrays."""
    present_AN = ~np.isnan(values_AN)
    present_AN &= present_AN.sum(axis=0) >= 2
    samples_R = np.nonzero(present_AN.T)[0]
    _, compact_R = np.unique(samples_R, return_inverse=True)
    return compact_R, values_AN.T[present_AN.T]


def midranks(values_N: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs.

    >>> midranks(np.array([10.0, 30.0, 10.0]))
    array([1.5, 3. , 1.5])
    """
    _, codes_N, counts_K = np.unique(values_N, return_inverse=True, return_counts=True)
    ends_K = np.cumsum(counts_K)
    middles_K: Floats = ends_K - (counts_K - 1) / 2
    return middles_K[codes_N]


def _interval_alpha(samples_R: Integers, values_R: Floats) -> float:
    """From each sample's variance: sum over pairs of squared distances = 2 (m sum of squares - square of sum)."""
    centred_R = values_R - values_R.mean()
    sizes_U = np.bincount(samples_R)
    sums_U = np.bincount(samples_R, weights=centred_R)
    squares_U = np.bincount(samples_R, weights=centred_R**2)
    observed = float((2 * (sizes_U * squares_U - sums_U**2) / (sizes_U - 1)).sum())
    count = len(values_R)
    expected = 2 * count * float((centred_R**2).sum()) / (count - 1)
    scale = count * float(np.abs(values_R).max()) ** 2
    return 1 - observed / expected if expected > 1e-24 * scale else math.nan


def _nominal_alpha(samples_R: Integers, codes_R: Floats) -> float:
    counts_UK = np.zeros((int(samples_R.max()) + 1, int(codes_R.max()) + 1))
    np.add.at(counts_UK, (samples_R, codes_R.astype(np.int64)), 1)
    sizes_U = counts_UK.sum(axis=1)
    observed = float(((sizes_U**2 - (counts_UK**2).sum(axis=1)) / (sizes_U - 1)).sum())
    totals_K = counts_UK.sum(axis=0)
    count = len(codes_R)
    expected = float(count**2 - (totals_K**2).sum()) / (count - 1)
    return 1 - observed / expected if expected > 0 else math.nan


def _ratio_alpha(samples_R: Integers, values_R: Floats) -> float:
    if values_R.min() < 0:
        raise ValueError(f"a ratio scale has no negative values, got {values_R.min():g}")
    count = len(values_R)
    sizes_U = np.bincount(samples_R)
    observed = sum(
        float(_ratio_distances(values_U, values_U).sum()) / (len(values_U) - 1)
        for values_U in np.split(values_R, np.cumsum(sizes_U)[:-1])
    )
    distinct_K, counts_K = np.unique(values_R, return_counts=True)
    step = max(1, ROWS_AT_ONCE // len(distinct_K))
    expected = sum(
        float(counts_K[at : at + step] @ _ratio_distances(distinct_K[at : at + step], distinct_K) @ counts_K)
        for at in range(0, len(distinct_K), step)
    )
    return 1 - observed * (count - 1) / expected if expected > 0 else math.nan


def _ratio_distances(rows: Floats, columns: Floats) -> Floats:
    sums = rows[:, np.newaxis] + columns
    distances: Floats = np.square((rows[:, np.newaxis] - columns) / np.where(sums > 0, sums, 1.0))
    return distances


def alpha_of_coincidences(coincidences_BKK: Floats, metric: Literal["nominal", "ordinal"]) -> Floats:
    """Alpha of each table of coincidences, shape (..., K, K).

    Cell (c, k) holds the pairable pairs of labels c and k, both ways round. Two raters without gaps: the table plus
    its transpose.
    """
    totals_BK = coincidences_BKK.sum(axis=-1)
    if metric == "nominal":
        return nominal_alpha_of_sums(agreeing_of_tables(coincidences_BKK), totals_BK)
    count_B = totals_BK.sum(axis=-1)
    ranks_BK = np.cumsum(totals_BK, axis=-1) - totals_BK / 2
    ranks_BK = ranks_BK - (count_B / 2)[..., np.newaxis]
    squares_B = (totals_BK * ranks_BK**2).sum(axis=-1)
    products_B = ((coincidences_BKK @ ranks_BK[..., np.newaxis])[..., 0] * ranks_BK).sum(axis=-1)
    # The midranks of all ratings have mean count / 2, so the centred ones sum to 0 and of the expected
    # distance only the squares are left: 2 count squares / (count - 1).
    return 1 - ratio((squares_B - products_B) * (count_B - 1), count_B * squares_B)


def nominal_alpha_of_sums(agreeing_B: Floats, totals_BK: Floats) -> Floats:
    """Nominal alpha from the coincidences on the diagonal and the pairable ratings of each label."""
    count_B = totals_BK.sum(axis=-1)
    expected_B = count_B**2 - (totals_BK**2).sum(axis=-1)
    return 1 - ratio((count_B - agreeing_B) * (count_B - 1), expected_B)
