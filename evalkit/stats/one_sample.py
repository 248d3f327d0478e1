"""One run's mean against a bound: its one-sided limit, and the chance of seeing this if the bound were held.

binary and independent   Wilson's limit; exact binomial test
otherwise                the paired methods against a constant (paired.py): t by cluster, never without width
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit.stats import special
from evalkit.stats.clusters import Clusters, Floats, as_finite, cluster_codes
from evalkit.stats.intervals import proportion
from evalkit.stats.paired import lower_limit, p_worse


def lower_limit_of_mean(
    values_N: Sequence[Any] | Floats, *, cluster_N: Clusters = None, alpha: float = 0.05, unit: str = ""
) -> float | None:
    """One-sided lower confidence limit of a mean at 1 - alpha; None when there is none.

    values_N: shape (N,), finite, N >= 1. cluster_N: as everywhere. For the upper limit hand in what is turned round
    (1 - x of a share, -x otherwise).

    >>> round(lower_limit_of_mean([1] * 95 + [0] * 5), 3)
    0.901
    """
    values = as_finite(values_N, "values")
    if _is_binary_and_independent(values, cluster_N):
        return proportion(int(values.sum()), len(values), level=1 - 2 * alpha).low
    # A share is compared with the end of its scale that it lies nearer to: the paired methods then see how few clusters
    # differ from it, where t would be far too short.
    constant = 1.0 if unit == "share" and values.mean() > 0.5 else 0.0
    limit = lower_limit(np.full(len(values), constant), values, cluster_N=cluster_N, alpha=alpha, unit=unit)
    return None if limit is None else constant + limit


def p_below(values_N: Sequence[Any] | Floats, bound: float, *, cluster_N: Clusters = None) -> float | None:
    """One-sided p of "the mean is >= bound" against "it is lower"; None when nothing can be tested.

    Binary and independent: the exact binomial test. Otherwise exact sign flips or t by cluster, as for pairs.

    >>> round(p_below([1] * 5 + [0] * 5, 0.8), 4)
    0.0328
    """
    values = as_finite(values_N, "values")
    if _is_binary_and_independent(values, cluster_N) and 0 < bound <= 1:
        return float(special.bdtr(int(values.sum()), len(values), min(bound, 1 - 1e-12)))
    return p_worse(np.full(len(values), float(bound)), values, cluster_N=cluster_N)[0]


def _is_binary_and_independent(values_N: Floats, cluster_N: Clusters) -> bool:
    return bool(np.isin(values_N, (0.0, 1.0)).all()) and cluster_codes(cluster_N, len(values_N))[1] == len(values_N)
