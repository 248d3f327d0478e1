"""What a judge is held against: an aggregate label from the file, or one computed from the raters.

A computed label is never called a person. `majority` needs three ratings of the response and a single most frequent
label; `mean` needs two. Where the file has such an aggregate already, its own is used.
"""

from collections.abc import Mapping

import numpy as np

from evalkit.calibration.table import Table
from evalkit.calibration.values import MISSING, Values, empty, is_there

RATINGS_FOR_A_MAJORITY = 3
RATINGS_FOR_A_MEAN = 2


def references(table: Table) -> Mapping[str, Values]:
    """Aggregate name -> labels, shape (N,): those in the file, and a computed one where it has none of its kind."""
    found = dict(table.aggregates)
    if table.scale.kind == "interval":
        if not any(name.startswith("mean") for name in found) and len(table.raters) >= RATINGS_FOR_A_MEAN:
            found["mean"] = mean_rating(table.ratings_AN)
    elif "majority" not in found and len(table.raters) >= RATINGS_FOR_A_MAJORITY:
        found["majority"] = majority(table.ratings_AN, len(table.scale.labels), RATINGS_FOR_A_MAJORITY)
    return {name: values for name, values in found.items() if is_there(values).any()}


def fitness_references(table: Table, chosen: str | None) -> dict[str, Values]:
    """The reference that fitness is judged against; several only where nothing but single annotators is left.

    chosen: the name of an aggregate or annotator. None = adjudicated, else gold, else majority, else a mean, else each
    annotator. Empty when the slice has no such label.
    """
    aggregates = dict(references(table))
    raters = {name: table.ratings(name) for name in table.raters}
    if chosen is not None:
        known = aggregates | raters
        return {chosen: known[chosen]} if chosen in known else {}
    preferred = ["adjudicated", "gold", "majority", *sorted(name for name in aggregates if name.startswith("mean"))]
    for name in preferred:
        if name in aggregates:
            return {name: aggregates[name]}
    return raters


def majority(ratings_AN: Values, n_labels: int, at_least: int) -> Values:
    """The single most frequent label of each sample, shape (N,); -1 with fewer ratings than `at_least` or a tie.

    >>> majority(np.array([[0, 0, 1], [0, 1, 1], [1, 2, -1]], dtype=np.int16), 3, 3)
    array([ 0, -1, -1], dtype=int16)
    """
    counts_KN = np.stack([(ratings_AN == label).sum(axis=0) for label in range(n_labels)])
    most_N = counts_KN.max(axis=0)
    decided_N = (counts_KN.sum(axis=0) >= at_least) & ((counts_KN == most_N).sum(axis=0) == 1)
    return np.where(decided_N, counts_KN.argmax(axis=0), MISSING).astype(np.int16)


def mean_rating(ratings_AN: Values, at_least: int = RATINGS_FOR_A_MEAN) -> Values:
    """The mean of each sample's ratings, shape (N,); nan with fewer ratings than `at_least`."""
    there_AN = np.isfinite(ratings_AN)
    m_N = there_AN.sum(axis=0)
    sum_N = np.where(there_AN, ratings_AN, 0.0).sum(axis=0)
    return np.where(m_N >= at_least, sum_N / np.maximum(m_N, 1), np.nan)


def of_the_others(table: Table, rater: str) -> Values:
    """What all other raters together say of each sample: their majority (of two or more), or their mean; shape (N,)."""
    others_AN = table.ratings_AN[[number for number, name in enumerate(table.raters) if name != rater]]
    if len(others_AN) == 0:
        return empty(table.scale, table.n)
    if table.scale.kind == "interval":
        return mean_rating(others_AN, 1)
    return majority(others_AN, len(table.scale.labels), 2)
