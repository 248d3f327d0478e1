"""Whether the judge ranks systems as people do: correlations of system means.

With few systems such a correlation says little: its interval, drawn by item, is printed beside it.
"""

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.resample import resampled
from evalkit.calibration.settings import Drawing
from evalkit.calibration.table import Table
from evalkit.calibration.values import Values, is_there
from evalkit.core.estimate import Estimate, Slice
from evalkit.stats.correlation import kendall_tau_b, pearson, spearman
from evalkit.stats.tables import ratio

Floats = NDArray[np.float64]

MIN_SYSTEMS = 3
MIN_RESPONSES = 5
"""A system with fewer responses has no mean worth ranking (and `system` may be a row's name rather than a model's)."""

CORRELATIONS = {"system_kendall_tau_b": kendall_tau_b, "system_pearson": pearson, "system_spearman": spearman}


def system_estimates(
    table: Table, reference_N: Values, drawing: Drawing, against: str, where: Slice
) -> dict[str, Estimate]:
    """Statistic -> correlation over systems of the judge's mean and the reference's; empty below three systems.

    A nominal scale has no means. On a binary scale the mean is the share of the second label, on an ordinal one that of
    the label's place.
    """
    if table.scale.kind not in ("interval", "ordinal", "binary"):
        return {}
    systems_N = np.tile(np.array([key[1] for key in table.keys], dtype=object), len(table.orders))
    reference, verdicts = np.tile(reference_N, len(table.orders)), table.verdicts_ON.reshape(-1)
    both = is_there(reference) & is_there(verdicts)
    names, codes, counts = np.unique(systems_N[both].astype(str), return_inverse=True, return_counts=True)
    ranked = np.flatnonzero(counts >= MIN_RESPONSES)
    if len(ranked) < MIN_SYSTEMS:
        return {}
    features_NF = _sums_by_system(codes, len(names), reference[both].astype(float), verdicts[both].astype(float))
    cluster_N = np.tile(table.cluster_N, len(table.orders))[both]

    def statistic(sums_BF: Floats) -> Floats:
        counts_BS, reference_BS, judge_BS = np.moveaxis(sums_BF.reshape(len(sums_BF), 3, -1)[:, :, ranked], 1, 0)
        means_BS, judge_means_BS = _means(reference_BS, counts_BS), _means(judge_BS, counts_BS)
        return np.array([_correlations(*pair) for pair in zip(means_BS, judge_means_BS, strict=True)])

    found = resampled(
        features_NF,
        cluster_N,
        statistic,
        drawing,
        "systems",
        against,
        table.criterion,
        where,
        unseen_MF=np.empty((0, features_NF.shape[1])),
        undefined_because="all systems have the same mean",
    )
    missing = int((is_there(reference) & ~is_there(verdicts)).sum())
    says = f"means of {len(ranked)} systems over {int(both.sum())} verdicts"
    return {
        name: estimate.model_copy(
            update={"n": len(ranked), "n_missing": missing, "method": f"{says}; {estimate.method}"}
        )
        for name, estimate in zip(CORRELATIONS, found, strict=True)
    }


def _means(sums_BS: Floats, counts_BS: Floats) -> Floats:
    """Mean of each system; nan where the draw has none of it. Rounded far below any digit that counts.

    Two systems with the same mean are tied: without the rounding the last bit of a sum would rank them.
    """
    means_BS = ratio(sums_BS, counts_BS)
    largest = float(np.nanmax(np.abs(means_BS))) or 1.0
    return np.asarray(np.round(means_BS / largest, 12) * largest)


def _sums_by_system(codes_N: NDArray[np.int64], n_systems: int, reference_N: Floats, judge_N: Floats) -> Floats:
    """Addends of count, reference and judge of each system, shape (N, 3 * S)."""
    features_N3S = np.zeros((codes_N.size, 3, n_systems))
    rows = np.arange(codes_N.size)
    for number, values_N in enumerate((np.ones(codes_N.size), reference_N, judge_N)):
        features_N3S[rows, number, codes_N] = values_N
    return features_N3S.reshape(codes_N.size, -1)


def _correlations(reference_S: Floats, judge_S: Floats) -> list[float]:
    """Each correlation over the systems that the draw holds; nan where undefined."""
    drawn_S = np.isfinite(reference_S) & np.isfinite(judge_S)
    if drawn_S.sum() < MIN_SYSTEMS:
        return [np.nan] * len(CORRELATIONS)
    found = [correlate(reference_S[drawn_S], judge_S[drawn_S]) for correlate in CORRELATIONS.values()]
    return [np.nan if value is None else value for value in found]
