"""How far people agree with each other: the ceiling that a judge is seen beside.

fleiss_kappa  against humans         of all raters together (aggregates are never an extra rater)
cohen_kappa   against ann x ben      of two persons; never of two slots, which are positions that many people fill
pearson       against ann x others   of one rater and the majority, or the mean, of all others: the same comparison
                                     that a judge is put through
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.references import mean_rating, of_the_others
from evalkit.calibration.settings import Drawing, card_line
from evalkit.calibration.table import Table
from evalkit.calibration.values import Values, as_labels, is_there
from evalkit.core.card import CardEstimate
from evalkit.core.estimate import Estimate, Slice
from evalkit.core.label import is_slot
from evalkit.stats.agreement import agreement_estimates, rater_estimates

MAX_PAIRED_PERSONS = 12
"""With more persons than this (66 pairs) pairs are left out: `humans` says it, and nobody reads a thousand kappas."""

# Statistics that do not ask which of the two is right. `accuracy` is then called by its symmetrical name.
SYMMETRICAL = {
    "accuracy": "percent_agreement",
    "percent_agreement": "percent_agreement",
    "cohen_kappa": "cohen_kappa",
    "cohen_kappa_linear": "cohen_kappa_linear",
    "cohen_kappa_quadratic": "cohen_kappa_quadratic",
    "gwet_ac1": "gwet_ac1",
    "krippendorff_alpha_nominal": "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal": "krippendorff_alpha_ordinal",
    "krippendorff_alpha_interval": "krippendorff_alpha_interval",
    "matthews_correlation": "matthews_correlation",
    "pearson": "pearson",
    "spearman": "spearman",
    "kendall_tau_b": "kendall_tau_b",
    "mean_absolute_error": "mean_absolute_error",
    "icc_2_1": "icc_2_1",
    "icc_3_1": "icc_3_1",
}

# Between a slot and the rest no kappa or alpha: its marginals are nobody's.
WITHOUT_A_PERSON = ("percent_agreement", "pearson", "spearman", "kendall_tau_b", "mean_absolute_error")


def people_estimates(table: Table, where: Slice, drawing: Drawing) -> Iterator[CardEstimate]:
    """All lines of one slice that speak of people alone."""
    yield from _all_raters(table, where, drawing)
    if len(table.persons) <= MAX_PAIRED_PERSONS:
        yield from _pairs(table, where, drawing)
    if 3 <= len(table.raters) <= MAX_PAIRED_PERSONS:
        yield from _each_against_the_others(table, where, drawing)
    yield from _aggregate_checks(table, where)


def compare_two(
    table: Table, reference_N: Values, other_N: Values, cluster_N: NDArray[np.int64], drawing: Drawing, *names: object
) -> dict[str, Estimate]:
    """Every statistic of two columns of values over the samples that both have; empty when there are none."""
    both_N = is_there(reference_N) & is_there(other_N)
    if not both_N.any():
        return {}
    return agreement_estimates(
        as_labels(reference_N[both_N], table.scale.labels),
        as_labels(other_N[both_N], table.scale.labels),
        scale=table.scale,
        cluster_N=cluster_N[both_N],
        n_draws=drawing.n_draws,
        rng=drawing.rng(*names),
        level=drawing.level,
    )


def _all_raters(table: Table, where: Slice, drawing: Drawing) -> Iterator[CardEstimate]:
    shared_N = is_there(table.ratings_AN).sum(axis=0) >= 2
    if len(table.raters) < 2 or not shared_N.any():
        return
    estimates = rater_estimates(
        as_labels(table.ratings_AN, table.scale.labels),
        scale=table.scale,
        cluster_N=table.cluster_N,
        n_draws=drawing.n_draws,
        rng=drawing.rng("raters", table.criterion, where),
        level=drawing.level,
    )
    for statistic, estimate in estimates.items():
        yield card_line(estimate, statistic, "humans", where)


def _pairs(table: Table, where: Slice, drawing: Drawing) -> Iterator[CardEstimate]:
    for first, second in combinations(table.persons, 2):
        against = f"{first} x {second}"
        found = compare_two(
            table,
            table.ratings(first),
            table.ratings(second),
            table.cluster_N,
            drawing,
            against,
            table.criterion,
            where,
        )
        yield from _symmetrical(found, against, where)


def _each_against_the_others(table: Table, where: Slice, drawing: Drawing) -> Iterator[CardEstimate]:
    for rater in table.raters:
        against = f"{rater} x others"
        found = compare_two(
            table,
            of_the_others(table, rater),
            table.ratings(rater),
            table.cluster_N,
            drawing,
            against,
            table.criterion,
            where,
        )
        lines = _symmetrical(found, against, where)
        yield from (line for line in lines if not is_slot(rater) or line.statistic in WITHOUT_A_PERSON)


def _symmetrical(found: dict[str, Estimate], against: str, where: Slice) -> Iterator[CardEstimate]:
    told = set()
    for name, estimate in found.items():
        statistic = SYMMETRICAL.get(name)
        if statistic is not None and statistic not in told:
            told.add(statistic)
            yield card_line(estimate, statistic, against, where)


def _aggregate_checks(table: Table, where: Slice) -> Iterator[CardEstimate]:
    """How far the file's mean lies from the mean of the file's own raters, at most: 0 where it was made from them."""
    if table.scale.kind != "interval" or len(table.raters) < 2:
        return
    means_N = mean_rating(table.ratings_AN)
    for name, given_N in table.aggregates.items():
        gaps = np.abs(given_N - means_N)[np.isfinite(given_N) & np.isfinite(means_N)]
        if name.startswith("mean") and gaps.size:
            estimate = Estimate(
                value=float(gaps.max()),
                n=int(gaps.size),
                method="largest distance between the file's aggregate and the mean of its raters",
                reason="a largest value has no bootstrap interval",
            )
            yield card_line(estimate, "max_absolute_difference", f"{name} x humans", where)
