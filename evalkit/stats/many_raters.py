"""Agreement among any number of raters, with missing ratings: the sums each sample adds, and statistics of those sums.

    rater 1   a a b -        sample 1: 2 ratings of a      sample 3: one pair, not agreeing
    rater 2   a b - c        sample 2: one a, one b        sample 4: one rating, no pair

Columns of the sums of labels, for K labels (see `label_sums`):
    agreeing, ratings of each label     over samples with two ratings or more, as Krippendorff counts coincidences
    agreeing, ratings of each label     over samples with the usual number of ratings, for Fleiss
    share of agreeing pairs, 1          over samples with two ratings or more
    shares of each label, 1             over samples with a rating, for Gwet
"""

from dataclasses import dataclass

import numpy as np

from evalkit.stats.alpha import alpha_of_coincidences, nominal_alpha_of_sums
from evalkit.stats.clusters import Floats, Integers
from evalkit.stats.codes import MISSING
from evalkit.stats.kappa import gwet_coefficient
from evalkit.stats.tables import ratio


@dataclass(frozen=True)
class LabelSums:
    """Where the sums of labels stand in a row, and the statistics read off them."""

    n_categories: int
    usual: int
    """The number of ratings that most samples have (two or more): Fleiss' kappa is over those."""

    def of(self, ratings_AN: Integers) -> Floats:
        """The sums each sample adds, shape (N, 3 K + 5). ratings_AN: codes, MISSING where there is none."""
        counts_NK = count_labels(ratings_AN, self.n_categories)
        sizes_N = counts_NK.sum(axis=1)
        paired_N, usual_N, rated_N = sizes_N >= 2, sizes_N == self.usual, sizes_N >= 1
        agreeing_N = (counts_NK**2).sum(axis=1) - sizes_N
        coinciding_N = ratio(agreeing_N, np.where(paired_N, sizes_N - 1, 1.0))
        pair_share_N = agreeing_N / np.where(paired_N, sizes_N * (sizes_N - 1), 1.0)
        shares_NK = counts_NK / np.where(rated_N, sizes_N, 1.0)[:, np.newaxis]
        return np.column_stack(
            [
                coinciding_N * paired_N,
                counts_NK * paired_N[:, np.newaxis],
                coinciding_N * usual_N,
                counts_NK * usual_N[:, np.newaxis],
                pair_share_N * paired_N,
                paired_N,
                shares_NK,
                rated_N,
            ]
        )

    def alpha(self, sums_BF: Floats) -> Floats:
        """Krippendorff's nominal alpha."""
        return nominal_alpha_of_sums(sums_BF[:, 0], sums_BF[:, 1 : self.n_categories + 1])

    def fleiss(self, sums_BF: Floats) -> Floats:
        """Fleiss' kappa over the samples with the usual number of ratings."""
        start = self.n_categories + 1
        totals_BK = sums_BF[:, start + 1 : start + 1 + self.n_categories]
        count_B = totals_BK.sum(axis=1)
        chance_B = ratio((totals_BK**2).sum(axis=1), count_B**2)
        return ratio(ratio(sums_BF[:, start], count_B) - chance_B, 1 - chance_B)

    def agreement(self, sums_BF: Floats) -> Floats:
        """Mean share of agreeing pairs of ratings of a sample."""
        start = 2 * self.n_categories + 2
        return ratio(sums_BF[:, start], sums_BF[:, start + 1])

    def gwet(self, sums_BF: Floats) -> Floats:
        """Gwet's AC1."""
        start = 2 * self.n_categories + 4
        shares_BK = ratio(
            sums_BF[:, start : start + self.n_categories], sums_BF[:, start + self.n_categories, np.newaxis]
        )
        return gwet_coefficient(self.agreement(sums_BF), shares_BK, self.n_categories)


def count_labels(ratings_AN: Integers, n_categories: int) -> Floats:
    """How many raters gave each sample each label, shape (N, K). MISSING counts nowhere."""
    n = ratings_AN.shape[1]
    raters, samples = np.nonzero(ratings_AN != MISSING)
    cells = samples * n_categories + ratings_AN[raters, samples]
    return np.bincount(cells, minlength=n * n_categories).reshape(n, n_categories).astype(np.float64)


def coincidence_sums(ratings_AN: Integers, n_categories: int) -> Floats:
    """Each sample's table of coincidences, flat, shape (N, K * K): pairs of its m ratings, over m - 1."""
    counts_NK = count_labels(ratings_AN, n_categories)
    sizes_N = counts_NK.sum(axis=1)
    pairs_NKK = counts_NK[:, :, np.newaxis] * counts_NK[:, np.newaxis, :]
    diagonal = np.arange(n_categories)
    pairs_NKK[:, diagonal, diagonal] -= counts_NK
    weights_N = np.where(sizes_N >= 2, 1 / np.where(sizes_N >= 2, sizes_N - 1, 1.0), 0.0)
    pairs_NKK *= weights_N[:, np.newaxis, np.newaxis]
    return pairs_NKK.reshape(len(counts_NK), n_categories**2)


def ordinal_alpha_of_sums(sums_BF: Floats, n_categories: int) -> Floats:
    """Krippendorff's ordinal alpha from the added rows of `coincidence_sums`."""
    return alpha_of_coincidences(sums_BF.reshape(-1, n_categories, n_categories), "ordinal")


def interval_sums(ratings_AN: Floats) -> Floats:
    """What interval alpha adds up: number of ratings, sum, sum of squares, pairs' squared distances; one row a sample.

    NaN is a missing rating. Shape (N, 4); zeros for samples with fewer than two ratings. Centre and scale the ratings
    first.
    """
    present_AN = ~np.isnan(ratings_AN)
    filled_AN = np.where(present_AN, ratings_AN, 0.0)
    sizes_N, sums_N, squares_N = present_AN.sum(axis=0), filled_AN.sum(axis=0), (filled_AN**2).sum(axis=0)
    paired_N = sizes_N >= 2
    distances_N = 2 * (sizes_N * squares_N - sums_N**2) / np.where(paired_N, sizes_N - 1, 1)
    sums_N4: Floats = np.column_stack([sizes_N, sums_N, squares_N, distances_N]) * paired_N[:, np.newaxis]
    return sums_N4


def interval_alpha_of_sums(sums_BF: Floats) -> Floats:
    """Krippendorff's interval alpha from the added rows of `interval_sums`."""
    count_B, total_B, squares_B, observed_B = sums_BF.T
    spread_B = count_B * squares_B - total_B**2
    spread_B = np.where(spread_B > 1e-10 * count_B**2, spread_B, 0.0)
    return 1 - ratio(observed_B * (count_B - 1), 2 * spread_B)


def usual_number(ratings_N: Integers) -> int:
    """The number of ratings, two or more, that most samples have (the larger of two as common); 0 if none has two."""
    counts = np.bincount(ratings_N)
    counts[:2] = 0
    return int(len(counts) - 1 - np.argmax(counts[::-1])) if counts.any() else 0
