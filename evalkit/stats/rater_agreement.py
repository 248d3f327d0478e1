"""Estimates of agreement among many raters: which samples each statistic rests on, and its draws."""

from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evalkit.core.estimate import Estimate
from evalkit.stats import intervals
from evalkit.stats.clusters import Floats, Integers
from evalkit.stats.codes import MISSING
from evalkit.stats.icc import Form, centre_and_scale, icc_of_sums, variance_sums
from evalkit.stats.jackknife import Near, OfMoments, jackknife_estimates
from evalkit.stats.many_raters import (
    LabelSums,
    coincidence_sums,
    interval_alpha_of_sums,
    interval_sums,
    ordinal_alpha_of_sums,
    usual_number,
)
from evalkit.stats.paired_labels import MOST_TABLED
from evalkit.stats.shared_draws import (
    Mask,
    OfSums,
    Sampling,
    estimate_all,
    imagined_labels,
    undefined_estimate,
)

ICC_FORMS: dict[str, tuple[Form, Near]] = {
    "icc_2_1": ("2_1", Near.FISHER_Z),
    "icc_2_k": ("2_k", Near.LOG_OF_REST),
    "icc_3_1": ("3_1", Near.FISHER_Z),
}

Number = TypeVar("Number", np.int64, np.float64)

MOST_PARTED_RATERS = 6
"""Raters up to which all ways to part them are imagined: 64."""

NO_PAIR = "no sample has two ratings"


def label_estimates(
    ratings_AN: Integers, n_categories: int, *, is_ordinal: bool, sampling: Sampling
) -> dict[str, Estimate]:
    """Statistics of codes, MISSING where there is none; shape (A, N). An ordinal code counts as its place."""
    ratings_N = (ratings_AN != MISSING).sum(axis=0)
    paired_N = ratings_N >= 2
    usual = usual_number(ratings_N)
    if usual == 0 or n_categories == 0:
        names = ["percent_agreement", "fleiss_kappa", "krippendorff_alpha_nominal", "gwet_ac1"]
        names += ["krippendorff_alpha_ordinal", *ICC_FORMS] if is_ordinal else []
        return {name: undefined_estimate(name, sampling.basis(paired_N), sampling.level, NO_PAIR) for name in names}
    if n_categories > MOST_TABLED:
        sampling = replace(sampling, n_draws=0)
    sums = LabelSums(n_categories, usual)
    unseen_UM = _split_samples(
        imagined_labels(np.bincount(ratings_AN[ratings_AN != MISSING], minlength=n_categories)), usual
    )
    draws = sampling.draw(sums.of(ratings_AN), sums.of(unseen_UM))
    of_pairs: dict[str, OfSums] = {
        "percent_agreement": sums.agreement,
        "krippendorff_alpha_nominal": sums.alpha,
        "gwet_ac1": sums.gwet,
    }
    result = estimate_all(of_pairs, draws, sampling.basis(paired_N), sampling.level)
    if (ratings_N[paired_N] == 2).all():
        result["percent_agreement"] = _two_rater_agreement(ratings_AN, paired_N, sampling)
    result |= estimate_all({"fleiss_kappa": sums.fleiss}, draws, sampling.basis(ratings_N == usual), sampling.level)
    if is_ordinal:
        result |= _ordinal_alpha(ratings_AN, unseen_UM, n_categories, sampling)
        places_AN = np.where(ratings_AN == MISSING, np.nan, ratings_AN.astype(np.float64))
        result |= icc_estimates(places_AN, np.array([0.0, n_categories - 1.0]), sampling)
    return result


def number_estimates(ratings_AN: Floats, sampling: Sampling) -> dict[str, Estimate]:
    """Statistics of ratings on an interval scale, NaN where there is none; shape (A, N)."""
    name = "krippendorff_alpha_interval"
    paired_N = (~np.isnan(ratings_AN)).sum(axis=0) >= 2
    if not paired_N.any():
        names = [name, *ICC_FORMS]
        return {each: undefined_estimate(each, sampling.basis(paired_N), sampling.level, NO_PAIR) for each in names}
    present = ratings_AN[~np.isnan(ratings_AN)]
    centre, scale = centre_and_scale(present)
    standard_AN = (ratings_AN - centre) / scale
    unseen_AM = _split_samples(np.array([np.nanmin(standard_AN), np.nanmax(standard_AN)]), len(ratings_AN))
    statistic = {name: OfMoments(interval_alpha_of_sums, Near.FISHER_Z)}
    sums_N4, unseen_M4 = interval_sums(standard_AN), interval_sums(unseen_AM)
    result = jackknife_estimates(statistic, sums_N4, unseen_M4, sampling.basis(paired_N), sampling)
    return result | icc_estimates(ratings_AN, np.array([present.min(), present.max()]), sampling)


def icc_estimates(ratings_AN: Floats, ends: Floats, sampling: Sampling) -> dict[str, Estimate]:
    """Intraclass correlations over the samples that all have rated. ends: lowest and highest rating that may occur."""
    complete_N = np.isfinite(ratings_AN.sum(axis=0))
    basis = sampling.basis(complete_N)
    if basis.n == 0 or len(ratings_AN) < 2:
        reason = "no sample has a rating by every rater"
        return {name: undefined_estimate(name, basis, sampling.level, reason) for name in ICC_FORMS}
    centre, scale = centre_and_scale(ratings_AN[:, complete_N])
    sums_NF = np.zeros((sampling.n, 3 + len(ratings_AN)))
    sums_NF[complete_N] = variance_sums((ratings_AN[:, complete_N] - centre) / scale)
    unseen_MF = variance_sums((_every_split(ends, len(ratings_AN)) - centre) / scale)
    forms = {
        name: OfMoments(partial(icc_of_sums, n_raters=len(ratings_AN), form=form), near)
        for name, (form, near) in ICC_FORMS.items()
    }
    return jackknife_estimates(forms, sums_NF, unseen_MF, basis, sampling)


def _ordinal_alpha(
    ratings_AN: Integers, unseen_UM: Integers, n_categories: int, sampling: Sampling
) -> dict[str, Estimate]:
    """Krippendorff's ordinal alpha, from tables of coincidences."""
    sums_NF, unseen_MF = coincidence_sums(ratings_AN, n_categories), coincidence_sums(unseen_UM, n_categories)
    statistic: OfSums = partial(ordinal_alpha_of_sums, n_categories=n_categories)
    basis = sampling.basis((ratings_AN != MISSING).sum(axis=0) >= 2)
    return estimate_all(
        {"krippendorff_alpha_ordinal": statistic}, sampling.draw(sums_NF, unseen_MF), basis, sampling.level
    )


def _two_rater_agreement(ratings_AN: Integers, paired_N: Mask, sampling: Sampling) -> Estimate:
    """Share of samples whose two ratings agree, by Wilson."""
    two_N2 = ratings_AN.T[paired_N][(ratings_AN.T != MISSING)[paired_N]].reshape(-1, 2)
    agrees_N = (two_N2[:, 0] == two_N2[:, 1]).astype(np.float64)
    cluster_N = sampling.codes_N[paired_N] if sampling.by_cluster else None
    found = intervals.share(agrees_N, cluster_N=cluster_N, level=sampling.level)
    return found.model_copy(update={"n_missing": int((~paired_N).sum())})


def _split_samples(values_V: NDArray[Number], n_raters: int) -> NDArray[Number]:
    """Samples that might stand unseen: half the raters give one value, half another or the same, for every two values.

    Shape (n_raters, M).
    """
    first_M, second_M = np.triu_indices(len(values_V))
    is_first_A = np.arange(n_raters) < (n_raters + 1) // 2
    return np.where(is_first_A[:, np.newaxis], values_V[first_M], values_V[second_M])


def _every_split(ends: Floats, n_raters: int) -> Floats:
    """Samples that might stand unseen, where it matters who rates how: some give the lowest, the others the highest.

    All ways to part up to 6 raters; of more, those in which one stands against the rest. Shape (n_raters, M).
    """
    if n_raters <= MOST_PARTED_RATERS:
        is_high_AM = (np.arange(2**n_raters) >> np.arange(n_raters)[:, np.newaxis]) & 1 == 1
    else:
        alone_AM = np.eye(n_raters, dtype=bool)
        nobody_A1 = np.zeros((n_raters, 1), dtype=bool)
        is_high_AM = np.hstack([alone_AM, ~alone_AM, nobody_A1, ~nobody_A1])
    ratings_AM: Floats = np.where(is_high_AM, ends[1], ends[0])
    return ratings_AM
