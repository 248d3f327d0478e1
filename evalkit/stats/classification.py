"""How well verdicts match a reference, as a classifier does: from the table of labels (rows) by verdicts (columns).

    [[45, 5], [10, 40]]   classes (negative, positive): TPR 40/50, TNR 45/50, precision 40/45, F1 .842

A rate with nothing to divide by is None: no positive sample, no TPR. Macro figures average the classes that occur in
either row or column; if one of them is never predicted, its precision is 0/0 and so is the average (scikit-learn puts
0 there).
"""

import math

import numpy as np
import numpy.typing as npt

from evalkit.stats.clusters import Floats
from evalkit.stats.tables import OfTables, agreeing_of_tables, marginals_of_tables, one_of, ratio, totals_of_tables

NEGATIVE, POSITIVE = 0, 1


def accuracy_of_tables(tables_BKK: Floats) -> Floats:
    """Share of samples whose verdict is the reference label."""
    return ratio(agreeing_of_tables(tables_BKK), totals_of_tables(tables_BKK))


def recalls_of_tables(tables_BKK: Floats) -> Floats:
    """Recall of each class, shape (..., K); NaN where the reference never has it."""
    return ratio(_diagonals(tables_BKK), tables_BKK.sum(axis=-1))


def precisions_of_tables(tables_BKK: Floats) -> Floats:
    """Precision of each class, shape (..., K); NaN where the judge never says it."""
    return ratio(_diagonals(tables_BKK), tables_BKK.sum(axis=-2))


def f1s_of_tables(tables_BKK: Floats) -> Floats:
    """F1 of each class, shape (..., K); NaN where neither has it."""
    rows_BK, columns_BK = marginals_of_tables(tables_BKK)
    return ratio(2 * _diagonals(tables_BKK), rows_BK + columns_BK)


def macro_recall_of_tables(tables_BKK: Floats) -> Floats:
    """Mean recall over the classes that occur; NaN where the reference lacks one that the judge says."""
    return _macro(recalls_of_tables(tables_BKK), tables_BKK)


def macro_precision_of_tables(tables_BKK: Floats) -> Floats:
    """Mean precision over the classes that occur; NaN where the judge never says one that the reference has."""
    return _macro(precisions_of_tables(tables_BKK), tables_BKK)


def macro_f1_of_tables(tables_BKK: Floats) -> Floats:
    """Mean F1 over the classes that occur in the reference or in the verdicts."""
    return _macro(f1s_of_tables(tables_BKK), tables_BKK)


def balanced_accuracy_of_tables(tables_BKK: Floats) -> Floats:
    """Mean recall over the classes that the reference has; NaN with fewer than two of them."""
    present_BK = tables_BKK.sum(axis=-1) > 0
    recalls_BK = np.where(present_BK, recalls_of_tables(tables_BKK), 0.0)
    classes_B = present_BK.sum(axis=-1)
    return ratio(recalls_BK.sum(axis=-1), np.where(classes_B >= 2, classes_B, 0))


def matthews_of_tables(tables_BKK: Floats) -> Floats:
    """Matthews correlation (of any number of classes: Gorodkin 2004); NaN where either side has one class only."""
    rows_BK, columns_BK = marginals_of_tables(tables_BKK)
    totals_B = totals_of_tables(tables_BKK)
    covariance_B = agreeing_of_tables(tables_BKK) * totals_B - (rows_BK * columns_BK).sum(axis=-1)
    spread_B = (totals_B**2 - (rows_BK**2).sum(axis=-1)) * (totals_B**2 - (columns_BK**2).sum(axis=-1))
    return ratio(covariance_B, np.sqrt(np.maximum(spread_B, 0.0)))


def _diagonals(tables_BKK: Floats) -> Floats:
    return np.diagonal(tables_BKK, axis1=-2, axis2=-1)


def _macro(figures_BK: Floats, tables_BKK: Floats) -> Floats:
    rows_BK, columns_BK = marginals_of_tables(tables_BKK)
    occurs_BK = rows_BK + columns_BK > 0
    return ratio(np.where(occurs_BK, figures_BK, 0.0).sum(axis=-1), occurs_BK.sum(axis=-1).astype(np.float64))


def accuracy(table_KK: npt.ArrayLike) -> float | None:
    """Share of samples whose verdict is the reference label."""
    return one_of(accuracy_of_tables, table_KK)


def true_positive_rate(table_22: npt.ArrayLike) -> float | None:
    """Share of positive samples that the judge calls positive (recall). Classes are (negative, positive)."""
    return _of_class(recalls_of_tables, table_22, POSITIVE)


def true_negative_rate(table_22: npt.ArrayLike) -> float | None:
    """Share of negative samples that the judge calls negative."""
    return _of_class(recalls_of_tables, table_22, NEGATIVE)


def precision(table_22: npt.ArrayLike) -> float | None:
    """Share of positive verdicts that are right."""
    return _of_class(precisions_of_tables, table_22, POSITIVE)


def f1(table_22: npt.ArrayLike) -> float | None:
    """Harmonic mean of precision and recall of the positive class; None where neither has a positive.

    >>> round(f1([[45, 5], [10, 40]]), 4)
    0.8421
    """
    return _of_class(f1s_of_tables, table_22, POSITIVE)


def macro_recall(table_KK: npt.ArrayLike) -> float | None:
    """Mean recall over the classes that occur."""
    return one_of(macro_recall_of_tables, table_KK)


def macro_precision(table_KK: npt.ArrayLike) -> float | None:
    """Mean precision over the classes that occur."""
    return one_of(macro_precision_of_tables, table_KK)


def macro_f1(table_KK: npt.ArrayLike) -> float | None:
    """Mean F1 over the classes that occur."""
    return one_of(macro_f1_of_tables, table_KK)


def balanced_accuracy(table_KK: npt.ArrayLike) -> float | None:
    """Mean recall over the classes of the reference; None with fewer than two."""
    return one_of(balanced_accuracy_of_tables, table_KK)


def matthews_correlation(table_KK: npt.ArrayLike) -> float | None:
    """Matthews correlation coefficient; None where either side has one class only."""
    return one_of(matthews_of_tables, table_KK)


def _of_class(function: OfTables, table_22: npt.ArrayLike, which: int) -> float | None:
    table = np.asarray(table_22, dtype=np.float64)
    if table.shape != (2, 2):
        raise ValueError(f"a binary table has shape (2, 2), got {table.shape}")
    value = float(function(table)[which])
    return value if math.isfinite(value) else None
