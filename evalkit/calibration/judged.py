"""How far the judge agrees with people: against each aggregate label, each person, and all raters.

A verdict that could not be read is missing: it is counted beside every figure and enters none. With both presentation
orders the verdicts of both count, the item is their cluster, and swap consistency says how often the two agree.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from evalkit.calibration.ceiling import against_all_raters, difference_name
from evalkit.calibration.people import MAX_PAIRED_PERSONS, compare_two
from evalkit.calibration.references import references
from evalkit.calibration.settings import Drawing, card_line
from evalkit.calibration.systems import system_estimates
from evalkit.calibration.table import Table
from evalkit.calibration.values import MISSING, Values, is_there
from evalkit.core.card import CardEstimate
from evalkit.core.estimate import Estimate, Slice
from evalkit.stats.intervals import share

JUDGE_AND_HUMANS = "judge x humans"
"""The mean over raters of the judge against each; `humans` alone is people among themselves."""


def judge_estimates(table: Table, where: Slice, drawing: Drawing) -> Iterator[CardEstimate]:
    """All lines of one slice that speak of the judge."""
    if not table.has_verdicts:
        return
    for against, reference_N in _everyone(table).items():
        for statistic, estimate in _against(table, reference_N, drawing, against, where).items():
            yield card_line(estimate, statistic, against, where)
    for statistic, estimate in against_all_raters(table, drawing, table.criterion, where).items():
        yield card_line(
            estimate, statistic, "humans" if statistic == difference_name(table) else JUDGE_AND_HUMANS, where
        )
    for against, reference_N in references(table).items():
        for statistic, estimate in system_estimates(table, reference_N, drawing, against, where).items():
            yield card_line(estimate, statistic, against, where)
    if len(table.orders) > 1:
        yield card_line(swap_consistency(table, drawing.level), "swap_consistency", "itself", where)


def pooled(table: Table, reference_N: Values) -> tuple[Values, Values, Values]:
    """Reference, verdicts and clusters with the rows of every order one after the other, shape (O * N,) each."""
    n_orders = len(table.orders)
    return np.tile(reference_N, n_orders), table.verdicts_ON.reshape(-1), np.tile(table.cluster_N, n_orders)


def n_missing(table: Table, reference_N: Values) -> int:
    """How many labelled responses (times orders) have no readable verdict."""
    return int((is_there(reference_N) & ~is_there(table.verdicts_ON)).sum())


def swap_consistency(table: Table, level: float) -> Estimate:
    """Share of pairs with the same verdict whichever answer stands first; pairs without both verdicts are missing."""
    both_N = is_there(table.verdicts_ON).all(axis=0)
    same_N = (table.verdicts_ON[0] == table.verdicts_ON[1])[both_N]
    estimate = share(same_N.astype(float), cluster_N=table.cluster_N[both_N], level=level)
    return estimate.model_copy(update={"n_missing": int((~both_N).sum())})


def _everyone(table: Table) -> Mapping[str, Values]:
    persons = {name: table.ratings(name) for name in table.persons} if len(table.persons) <= MAX_PAIRED_PERSONS else {}
    return {**references(table), **persons}


def _against(table: Table, reference_N: Values, drawing: Drawing, against: str, where: Slice) -> dict[str, Estimate]:
    reference, verdicts, clusters = pooled(table, reference_N)
    found = compare_two(table, reference, verdicts, clusters, drawing, "judge", against, table.criterion, where)
    missing = dict.fromkeys(found, n_missing(table, reference_N))
    if table.scale.kind == "binary":
        # A rate of one class can miss verdicts of that class alone.
        for label, rates in ((0, ("true_negative_rate",)), (1, ("true_positive_rate", "recall"))):
            of_class = n_missing(table, np.where(reference_N == label, reference_N, MISSING))
            missing |= dict.fromkeys(rates, of_class)
    return {name: estimate.model_copy(update={"n_missing": missing[name]}) for name, estimate in found.items()}
