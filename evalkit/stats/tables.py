"""Tables of counts: rows the reference's (or first rater's) labels, columns the judge's (or second's).

    reference \\ judge   refuses  complies
    refuses                  40        10
    complies                  5        45

Functions named `..._of_tables` take many tables at once, shape (..., K, K), broken counts allowed, and give NaN for
0/0: the bootstrap's replicates go through them together. Functions of one table give None for 0/0.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from evalkit.stats.clusters import Floats, Integers
from evalkit.stats.codes import Labels, complete_codes

OfTables = Callable[[Floats], Floats]


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, NaN where the denominator is 0 (or below what rounding leaves of 0)."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    result = np.full(shape, math.nan)
    np.divide(numerator, denominator, out=result, where=np.broadcast_to(np.abs(denominator) > 1e-12, shape))
    return result


def one_of(function: OfTables, table_KK: npt.ArrayLike) -> float | None:
    """The function on one table; None where it is 0/0."""
    value = float(function(np.asarray(table_KK, dtype=np.float64)[np.newaxis])[0])
    return value if math.isfinite(value) else None


def count_pairs(first_N: Integers, second_N: Integers, n_categories: int) -> Integers:
    """The table of two raters' codes, shape (K, K)."""
    cells_N = first_N * n_categories + second_N
    return np.bincount(cells_N, minlength=n_categories**2).reshape(n_categories, n_categories)


def confusion_matrix(reference_N: Labels, judge_N: Labels, categories: Sequence[str]) -> Integers:
    """Counts of reference labels (rows) against the judge's (columns), in the order of `categories`.

    Raises ValueError for a label that is not among them, for a missing one, and when lengths differ.

    >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"], ("a", "b"))
    array([[1, 1],
           [0, 1]])
    """
    reference_codes_N = complete_codes(reference_N, categories, "reference")
    judge_codes_N = complete_codes(judge_N, categories, "judge")
    if len(reference_codes_N) != len(judge_codes_N):
        raise ValueError(
            f"{len(reference_codes_N)} reference labels for {len(judge_codes_N)} verdicts: pairs are needed"
        )
    return count_pairs(reference_codes_N, judge_codes_N, len(categories))


def totals_of_tables(tables_BKK: Floats) -> Floats:
    """Samples in each table."""
    totals_B: Floats = tables_BKK.sum(axis=(-2, -1))
    return totals_B


def marginals_of_tables(tables_BKK: Floats) -> tuple[Floats, Floats]:
    """How often each label stands in the rows and in the columns, shape (..., K) each."""
    return tables_BKK.sum(axis=-1), tables_BKK.sum(axis=-2)


def agreeing_of_tables(tables_BKK: Floats) -> Floats:
    """Samples on the diagonal."""
    agreeing_B: Floats = np.trace(tables_BKK, axis1=-2, axis2=-1)
    return agreeing_B
