"""Agreement beyond chance between two raters and among many: Cohen, Fleiss, Gwet.

    two raters, 100 samples   [[45, 15], [25, 15]]: 60 agree, 54 would by chance: kappa .13
    one label throughout      expected agreement is 1, kappa is 0/0: None, never 0 or 1

Krippendorff's alpha, for missing ratings and other scales, is in alpha.py.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from evalkit.stats.clusters import Floats
from evalkit.stats.codes import Labels
from evalkit.stats.tables import (
    agreeing_of_tables,
    confusion_matrix,
    marginals_of_tables,
    one_of,
    ratio,
    totals_of_tables,
)

Weights = Literal["none", "linear", "quadratic"]


def disagreement_weights(n_categories: int, weights: Weights) -> Floats:
    """What each pair of labels costs, 0 on the diagonal, 1 for the farthest; shape (K, K).

    >>> disagreement_weights(3, "quadratic")[0]
    array([0.  , 0.25, 1.  ])
    """
    steps_K = np.arange(n_categories, dtype=np.float64)
    distance_KK = np.abs(steps_K[:, np.newaxis] - steps_K) / max(n_categories - 1, 1)
    if weights == "none":
        return (distance_KK > 0).astype(np.float64)
    return distance_KK if weights == "linear" else distance_KK**2


def kappa_of_tables(tables_BKK: Floats, weights_KK: Floats) -> Floats:
    """1 - observed / expected disagreement of each table."""
    rows_BK, columns_BK = marginals_of_tables(tables_BKK)
    observed_B = (tables_BKK * weights_KK).sum(axis=(-2, -1))
    expected_B = ((rows_BK @ weights_KK) * columns_BK).sum(axis=-1)
    return 1 - ratio(observed_B * totals_of_tables(tables_BKK), expected_B)


def gwet_of_tables(tables_BKK: Floats) -> Floats:
    """Gwet's AC1 of each table of two raters."""
    n_categories = tables_BKK.shape[-1]
    totals_B = totals_of_tables(tables_BKK)
    rows_BK, columns_BK = marginals_of_tables(tables_BKK)
    shares_BK = ratio((rows_BK + columns_BK) / 2, totals_B[..., np.newaxis])
    return gwet_coefficient(ratio(agreeing_of_tables(tables_BKK), totals_B), shares_BK, n_categories)


def gwet_coefficient(agreement_B: Floats, shares_BK: Floats, n_categories: int) -> Floats:
    """AC1 from the share of agreeing pairs and the mean share of each label. NaN with fewer than two categories."""
    chance_B = (shares_BK * (1 - shares_BK)).sum(axis=-1) / max(n_categories - 1, 1)
    return ratio(agreement_B - chance_B, 1 - chance_B) if n_categories > 1 else np.full_like(agreement_B, np.nan)


def cohen_kappa(
    first_N: Labels, second_N: Labels, *, categories: Sequence[str], weights: Weights = "none"
) -> float | None:
    """Cohen's kappa of two raters of the same samples; None where chance agreement is 1.

    categories: all labels of the scale, in order: weights count steps on the scale, not among the labels that happen
        to occur.
    Source: Cohen 1960 (none), 1968 (weighted).

    >>> round(cohen_kappa(["a", "a", "b", "b"], ["a", "a", "b", "a"], categories=("a", "b")), 6)
    0.5
    """
    return kappa_of_table(confusion_matrix(first_N, second_N, categories), weights)


def kappa_of_table(table_KK: npt.ArrayLike, weights: Weights = "none") -> float | None:
    """Cohen's kappa of a table of counts.

    >>> round(kappa_of_table([[88, 14, 18], [10, 40, 10], [2, 6, 12]]), 3)
    0.492
    """
    weights_KK = disagreement_weights(len(np.asarray(table_KK)), weights)
    return one_of(lambda tables_BKK: kappa_of_tables(tables_BKK, weights_KK), table_KK)


def percent_agreement(first_N: Labels, second_N: Labels) -> float | None:
    """Share of samples on which two raters gave the same label; None without samples."""
    first, second = np.asarray(first_N, dtype=object), np.asarray(second_N, dtype=object)
    if first.shape != second.shape:
        raise ValueError(f"{len(first)} labels for {len(second)}: pairs are needed")
    return float(np.mean([a == b for a, b in zip(first, second, strict=True)])) if len(first) else None


def fleiss_kappa(counts_NK: npt.ArrayLike) -> float | None:
    """Fleiss' kappa: counts_NK[i, k] raters gave sample i the label k. None where chance agreement is 1, or no samples.

    Raises ValueError unless every sample has the same number of ratings, two or more. Source: Fleiss 1971.

    >>> round(fleiss_kappa([[2, 0], [1, 1], [0, 2], [2, 0]]), 4)
    0.4667
    """
    counts = np.asarray(counts_NK, dtype=np.float64)
    if counts.ndim != 2 or counts.size == 0:
        return None
    ratings_N = counts.sum(axis=1)
    if ratings_N.min() != ratings_N.max() or ratings_N[0] < 2:
        raise ValueError(
            f"Fleiss' kappa needs the same number of ratings (2 or more) of each sample, "
            f"got {ratings_N.min():.0f} to {ratings_N.max():.0f}"
        )
    shares_K = counts.mean(axis=0) / ratings_N[0]
    agreement = ((counts**2).sum(axis=1) - ratings_N[0]) / (ratings_N[0] * (ratings_N[0] - 1))
    value = float(ratio(agreement.mean() - (shares_K**2).sum(), 1 - (shares_K**2).sum()))
    return None if np.isnan(value) else value


def gwet_ac1(counts_NK: npt.ArrayLike) -> float | None:
    """Gwet's AC1: counts_NK[i, k] raters gave sample i the label k; samples may differ in their number of ratings.

    Agreement is over samples with two ratings or more, the shares of the labels over all with one. None where no sample
    has two, or with one category. Source: Gwet 2008; Handbook of Inter-Rater Reliability, 2014.
    """
    counts = np.asarray(counts_NK, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    ratings_N = counts.sum(axis=1)
    paired = ratings_N >= 2
    if not paired.any():
        return None
    pairs_N = ratings_N[paired] * (ratings_N[paired] - 1)
    agreement = float((((counts[paired] ** 2).sum(axis=1) - ratings_N[paired]) / pairs_N).mean())
    shares_K = (counts / ratings_N[:, np.newaxis]).mean(axis=0)
    value = float(gwet_coefficient(np.asarray(agreement), shares_K, counts.shape[1]))
    return None if np.isnan(value) else value
