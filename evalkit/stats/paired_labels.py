"""Two raters' labels of the same samples as codes, and bootstrap draws of their table.

reference 0 0 1 2 ...   judge 0 1 1 2 ...   ->   a 3 x 3 table; a draw is another table of as many samples
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from evalkit.core.estimate import Estimate
from evalkit.stats.bootstrap import draw_totals, patterns
from evalkit.stats.clusters import Floats, Integers
from evalkit.stats.shared_draws import Draws, OfSums, Sampling, estimate_all, imagined_labels, undefined_estimate
from evalkit.stats.tables import OfTables

MOST_TABLED = 100
"""Different labels up to which draws are made: a table of 100 x 100 cells for each."""


@dataclass(frozen=True)
class PairedLabels:
    """Codes 0..K-1 of both raters, shape (N,) each."""

    reference_N: Integers
    judge_N: Integers
    n_categories: int
    sampling: Sampling


def table_estimates(labels: PairedLabels, statistics: Mapping[str, OfTables]) -> dict[str, Estimate]:
    """An Estimate of each statistic of the table, from one set of draws; no intervals above MOST_TABLED labels."""
    basis, level = labels.sampling.basis(), labels.sampling.level
    if basis.n == 0:
        return {name: undefined_estimate(name, basis, level) for name in statistics}
    if labels.n_categories > MOST_TABLED:
        labels = replace(labels, sampling=replace(labels.sampling, n_draws=0))
    of_sums: dict[str, OfSums] = {
        name: partial(_of_flat, function=function, n_categories=labels.n_categories)
        for name, function in statistics.items()
    }
    return estimate_all(of_sums, _draw(labels), basis, level)


def _of_flat(sums_BF: Floats, *, function: OfTables, n_categories: int) -> Floats:
    return function(sums_BF.reshape(-1, n_categories, n_categories))


def _draw(labels: PairedLabels) -> Draws:
    """Resample clusters, each with the counts of the cells that occur."""
    sampling, n_categories = labels.sampling, labels.n_categories
    columns_C, cells_N = np.unique(labels.reference_N * n_categories + labels.judge_N, return_inverse=True)
    width = len(columns_C)
    if sampling.independent:
        sums_PC, counts_P = np.eye(width), np.bincount(cells_N, minlength=width)
    else:
        flat = np.bincount(sampling.codes_N * width + cells_N, minlength=sampling.n_clusters * width)
        sums_PC, counts_P = patterns(flat.reshape(sampling.n_clusters, width).astype(np.float64))
    totals = draw_totals(
        sums_PC, counts_P, n_draws=sampling.n_draws, by_cluster=not sampling.independent, rng=sampling.rng
    )
    return Draws(totals, partial(_spread_out, columns_C=columns_C, width=n_categories**2), _unseen_samples(labels))


def _spread_out(sums_BC: Floats, *, columns_C: Integers, width: int) -> Floats:
    """The sums of the cells that occur, among all cells."""
    full_BF = np.zeros((len(sums_BC), width))
    full_BF[:, columns_C] = sums_BC
    return full_BF


def _unseen_samples(labels: PairedLabels) -> Floats:
    """One sample in each cell of the labels that unseen samples are imagined to have, shape (M, K * K)."""
    n_categories = labels.n_categories
    if n_categories > MOST_TABLED:
        return np.zeros((0, n_categories**2))
    often_K = np.bincount(np.concatenate([labels.reference_N, labels.judge_N]), minlength=n_categories)
    chosen = imagined_labels(often_K)
    cells_M = (chosen[:, np.newaxis] * n_categories + chosen).ravel()
    unseen_MF = np.zeros((len(cells_M), n_categories**2))
    unseen_MF[np.arange(len(cells_M)), cells_M] = 1.0
    return unseen_MF
