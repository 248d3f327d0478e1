"""Samples that stand or fall together, and the standard error of a mean over them.

A cluster is, for example, one question asked in eleven languages: `cluster_N = ["q1", "q1", ..., "q2", ...]`.
`None` in its place means a sample that belongs to no cluster and stands alone.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Clusters = Sequence[Any] | npt.NDArray[Any] | None


def cluster_codes(cluster_N: Clusters, n: int) -> tuple[Integers, int]:
    """Codes 0..G-1 of the clusters, shape (n,), and G.

    None for the whole makes each sample its own cluster; None for one sample does so for that sample.
    Raises ValueError when there is not one id per sample.

    >>> cluster_codes(["q1", "q2", "q1", None], 4)
    (array([0, 1, 0, 2]), 3)
    """
    if cluster_N is None:
        return np.arange(n, dtype=np.int64), n
    if len(cluster_N) != n:
        raise ValueError(f"{len(cluster_N)} cluster ids for {n} samples: one for each is needed")
    if isinstance(cluster_N, np.ndarray) and cluster_N.dtype.kind in "iu":
        return codes_of_numbers(cluster_N)
    known: dict[Any, int] = {}
    codes = [known.setdefault(("alone", at) if name is None else name, len(known)) for at, name in enumerate(cluster_N)]
    return np.array(codes, dtype=np.int64), len(known)


def codes_of_numbers(numbers_N: npt.NDArray[Any]) -> tuple[Integers, int]:
    """Codes 0..G-1 in the order in which numbers first occur, and G; in packed arrays alone.

    >>> codes_of_numbers(np.array([7, 3, 7]))
    (array([0, 1, 0]), 2)
    """
    n = len(numbers_N)
    if n < 2 or bool((numbers_N[1:] > numbers_N[:-1]).all()):
        return np.arange(n, dtype=np.int64), n
    _, first_G, inverse_N = np.unique(numbers_N, return_index=True, return_inverse=True)
    place_G = np.empty(len(first_G), dtype=np.int64)
    place_G[np.argsort(first_G)] = np.arange(len(first_G))
    return place_G[inverse_N], len(first_G)


def as_finite(values: Any, name: str) -> Floats:
    """The values as a one-dimensional float array. Raises ValueError naming the first that is not a finite number."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} needs one dimension, got shape {array.shape}")
    strange = np.flatnonzero(~np.isfinite(array))
    if strange.size:
        raise ValueError(f"{name}[{strange[0]}] is {array[strange[0]]}: only finite numbers can be averaged")
    return array


def cluster_sums(values_N: Floats, codes_N: Integers, n_clusters: int) -> Floats:
    """Sum of the values in each cluster, shape (G,)."""
    sums_G = np.bincount(codes_N, weights=values_N, minlength=n_clusters)
    return sums_G.astype(np.float64)  # bincount of nothing gives integers


def standard_error(values_N: Floats, codes_N: Integers, n_clusters: int, *, corrected: bool = True) -> float:
    """Standard error of mean(values), whatever the dependence within clusters; with one sample each it is sd/sqrt(n).

    corrected: multiply the variance by G/(G-1) (CR1). Miller leaves it out; without it a test at 8 clusters
        errs .12 of the time instead of .05. NaN with one cluster.
    Source: Miller 2024, arXiv 2411.00640, clustered standard error.

    >>> scores = np.array([1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0.0])
    >>> round(standard_error(scores, np.repeat(np.arange(4), 3), 4, corrected=False), 6)
    0.138193
    """
    if n_clusters < 2:
        return math.nan
    residuals_G = cluster_sums(values_N - values_N.mean(), codes_N, n_clusters)
    correction = n_clusters / (n_clusters - 1) if corrected else 1.0
    return math.sqrt(correction * float(residuals_G @ residuals_G)) / len(values_N)


def are_equal(values: Floats) -> bool:
    """Whether all values are one number, up to rounding in the last digits."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))


def range_or_size(scores: Floats) -> float:
    """How far one score could lie from another: the range of the scores; where they are all equal, their size."""
    return (float(np.ptp(scores)) or float(np.abs(scores).max())) if len(scores) else 0.0


def unseen_share(n_clusters: int, tail: float) -> float:
    """The largest share of clusters that could differ although none of n_clusters did, but for a chance `tail`.

    (1 - share) ** n_clusters = tail: the exact binomial limit at zero events.

    >>> round(unseen_share(60, 0.05), 4)
    0.0487
    """
    return -math.expm1(math.log(tail) / n_clusters)
