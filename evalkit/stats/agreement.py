"""Agreement of a judge with a reference, and among raters: every statistic that fits the scale, as Estimates.

    agreement_estimates(majority, judge, scale=Scale.parse("preference"), cluster_N=None, rng=np.random.default_rng(0))
        {"accuracy": 0.711 [0.682, 0.738], n = 999, "cohen_kappa": ..., "macro_f1": ..., ...}

binary                 shares of both classes, Cohen's kappa, alpha, AC1, balanced accuracy, macro figures, Matthews
nominal, preference    the same without the rates of one class
ordinal                those of nominal, weighted kappas, ordinal alpha, and, labels counting as places 0, 1, 2, ...
                       in equal steps: Pearson, Spearman, Kendall, mean absolute error, bias, intraclass correlation
interval               Pearson, Spearman, Kendall, mean absolute error, bias, interval alpha, intraclass correlation
"""

from functools import partial
from typing import Literal

import numpy as np

from evalkit.core.estimate import Estimate
from evalkit.core.scale import Scale
from evalkit.stats import classification, kappa, rater_agreement
from evalkit.stats.alpha import alpha_of_coincidences
from evalkit.stats.class_shares import agreement_share, binary_shares, class_averages
from evalkit.stats.clusters import Clusters, Floats, cluster_codes
from evalkit.stats.codes import Labels, as_numbers, categories_of, complete_codes, complete_numbers, label_codes
from evalkit.stats.paired_labels import PairedLabels, table_estimates
from evalkit.stats.paired_numbers import number_estimates
from evalkit.stats.shared_draws import Sampling
from evalkit.stats.tables import OfTables

WEIGHTED_KAPPAS: tuple[tuple[str, kappa.Weights], ...] = (
    ("cohen_kappa_linear", "linear"),
    ("cohen_kappa_quadratic", "quadratic"),
)


def agreement_estimates(
    reference_N: Labels | Floats,
    judge_N: Labels | Floats,
    *,
    scale: Scale,
    cluster_N: Clusters = None,
    n_draws: int = 2000,
    rng: np.random.Generator,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Every statistic of a judge against a reference (or of two raters) that fits the scale, by its name.

    reference_N, judge_N: shape (N,), labels (numbers on an interval scale), the same order of samples, none missing.
    cluster_N: shape (N,), ids of samples that stand or fall together; None takes samples as independent.
    Undefined statistics have value None and a reason. Raises ValueError for a label that is not on the scale, a
    missing one, or arrays of different lengths.

    >>> rng = np.random.default_rng(0)
    >>> found = agreement_estimates(list("aabb"), list("aaba"), scale=Scale.parse("nominal"), rng=rng)
    >>> found["accuracy"].value, found["cohen_kappa"].value
    (0.75, 0.5)
    """
    if len(reference_N) != len(judge_N):
        raise ValueError(f"{len(reference_N)} reference labels for {len(judge_N)} verdicts: pairs are needed")
    sampling = _sampling(cluster_N, len(reference_N), n_draws, rng, level)
    if scale.kind == "interval":
        reference, judge = complete_numbers(reference_N, "reference"), complete_numbers(judge_N, "judge")
        return number_estimates(reference, judge, sampling)
    categories = categories_of(scale, reference_N, judge_N)
    labels = PairedLabels(
        complete_codes(reference_N, categories, "reference"),
        complete_codes(judge_N, categories, "judge"),
        len(categories),
        sampling,
    )
    result = table_estimates(labels, label_statistics(scale, len(categories)))
    if scale.kind == "ordinal":
        result |= _of_places(labels)
    result["accuracy"] = result["percent_agreement"] = agreement_share(labels)
    if scale.kind == "binary":
        result |= binary_shares(labels)
    if sampling.independent:
        result |= class_averages(labels)
    return result


def rater_estimates(
    ratings_AN: Labels | Floats,
    *,
    scale: Scale,
    cluster_N: Clusters = None,
    n_draws: int = 2000,
    rng: np.random.Generator,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Every statistic of agreement among A raters that fits the scale, by its name.

    ratings_AN: shape (A, N), labels (numbers on an interval scale); None or NaN is a missing rating.
    Each estimate's n is the samples it rests on and n_missing the others: Krippendorff's alpha and AC1 take samples
    with two ratings, Fleiss' kappa those with the usual number of ratings, intraclass correlations those that all
    have rated.
    Raises ValueError for a label that is not on the scale.

    >>> ratings = [list("aabbb"), list("aabba"), ["a", "a", "b", None, "b"]]
    >>> found = rater_estimates(ratings, scale=Scale.parse("nominal"), rng=np.random.default_rng(0))
    >>> round(found["krippendorff_alpha_nominal"].value, 3), found["fleiss_kappa"].n, found["fleiss_kappa"].n_missing
    (0.735, 4, 1)
    """
    array_AN = np.asarray(ratings_AN, dtype=object)
    if array_AN.ndim != 2:
        raise ValueError(f"ratings need raters in rows and samples in columns, got shape {array_AN.shape}")
    sampling = _sampling(cluster_N, array_AN.shape[1], n_draws, rng, level)
    if scale.kind == "interval":
        return rater_agreement.number_estimates(as_numbers(array_AN), sampling)
    categories = categories_of(scale, array_AN)
    codes_AN = label_codes(array_AN, categories)
    return rater_agreement.label_estimates(
        codes_AN, len(categories), is_ordinal=scale.kind == "ordinal", sampling=sampling
    )


def label_statistics(scale: Scale, n_categories: int) -> dict[str, OfTables]:
    """The statistics of a table that take their interval from the shared draws."""
    plain = kappa.disagreement_weights(n_categories, "none")
    result: dict[str, OfTables] = {
        "cohen_kappa": partial(kappa.kappa_of_tables, weights_KK=plain),
        "krippendorff_alpha_nominal": partial(_two_rater_alpha, metric="nominal"),
        "gwet_ac1": kappa.gwet_of_tables,
        "balanced_accuracy": classification.balanced_accuracy_of_tables,
        "macro_precision": classification.macro_precision_of_tables,
        "macro_recall": classification.macro_recall_of_tables,
        "macro_f1": classification.macro_f1_of_tables,
        "matthews_correlation": classification.matthews_of_tables,
    }
    if scale.kind != "ordinal":
        return result
    for name, kind in WEIGHTED_KAPPAS:
        weights_KK = kappa.disagreement_weights(n_categories, kind)
        result[name] = partial(kappa.kappa_of_tables, weights_KK=weights_KK)
    result["krippendorff_alpha_ordinal"] = partial(_two_rater_alpha, metric="ordinal")
    return result


def _of_places(labels: PairedLabels) -> dict[str, Estimate]:
    """The statistics of numbers, with labels as their places 0, 1, 2, ...; alpha is the ordinal one, from the table."""
    reference_N, judge_N = labels.reference_N.astype(np.float64), labels.judge_N.astype(np.float64)
    found = number_estimates(reference_N, judge_N, labels.sampling, ends=(0.0, labels.n_categories - 1.0))
    return {name: estimate for name, estimate in found.items() if name != "krippendorff_alpha_interval"}


def _two_rater_alpha(tables_BKK: Floats, *, metric: Literal["nominal", "ordinal"]) -> Floats:
    """Two raters without gaps: each pair of labels coincides both ways round."""
    return alpha_of_coincidences(tables_BKK + np.swapaxes(tables_BKK, -2, -1), metric)


def _sampling(cluster_N: Clusters, n: int, n_draws: int, rng: np.random.Generator, level: float) -> Sampling:
    codes_N, n_clusters = cluster_codes(cluster_N, n)
    return Sampling(codes_N, n_clusters, cluster_N is not None, n_draws, level, rng)
