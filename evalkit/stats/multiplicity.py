"""Adjusted p-values for many tests at once: reject where the adjusted p is below alpha.

Holm keeps the chance of any false alarm below alpha (gates); Benjamini-Hochberg keeps the share of false alarms
below alpha among those raised (exploring); Benjamini-Yekutieli does so under any dependence.
"""

from collections.abc import Sequence

import numpy as np

from evalkit.stats.clusters import Floats


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given. Source: Holm 1979.

    >>> [round(p, 9) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    p_M = _checked(p_values)
    order_M = np.argsort(p_M, kind="stable")
    stepped_M = np.maximum.accumulate(p_M[order_M] * np.arange(len(p_M), 0, -1))
    return _in_order(stepped_M, order_M)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's step-up adjustment, in the order given. Source: JRSS B 57, 1995.

    >>> [round(p, 9) for p in benjamini_hochberg([0.01, 0.04, 0.03, 0.005])]
    [0.02, 0.04, 0.04, 0.02]
    """
    return _step_up(_checked(p_values), 1.0)


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg made safe for any dependence: every p times 1 + 1/2 + ... + 1/M. Source: Annals 29, 2001.

    >>> [round(p, 4) for p in benjamini_yekutieli([0.01, 0.04])]
    [0.03, 0.06]
    """
    return _step_up(_checked(p_values), float(sum(1 / rank for rank in range(1, len(p_values) + 1))))


def _checked(p_values: Sequence[float]) -> Floats:
    p_M = np.asarray(p_values, dtype=np.float64)
    if not ((p_M >= 0) & (p_M <= 1)).all():
        raise ValueError(f"p-values lie in [0, 1], got {list(p_values)}")
    return p_M


def _step_up(p_M: Floats, factor: float) -> list[float]:
    order_M = np.argsort(p_M, kind="stable")
    count = len(p_M)
    scaled_M = p_M[order_M] * factor * count / np.arange(1, count + 1)
    return _in_order(np.minimum.accumulate(scaled_M[::-1])[::-1], order_M)


def _in_order(sorted_M: Floats, order_M: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[float]:
    adjusted_M = np.empty_like(sorted_M)
    adjusted_M[order_M] = np.minimum(sorted_M, 1.0)
    return [float(p) for p in adjusted_M]
