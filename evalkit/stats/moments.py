"""Statistics of two columns of numbers that are made of seven sums, so that all replicates are one matrix product.

Sums, in order: 1, x, y, xx, yy, xy, |y - x|. x is the reference, y the judge, both moved by one centre and divided by
one scale beforehand, so that no digits are lost in the squares; errors are turned back into the scale's own unit.
"""

import math

import numpy as np

from evalkit.stats.clusters import Floats
from evalkit.stats.icc import Form, icc_of_sums
from evalkit.stats.tables import ratio


def pair_moments(x: Floats, y: Floats) -> Floats:
    """The seven sums of each sample, shape (N, 7).

    >>> pair_moments(np.array([1.0]), np.array([3.0]))
    array([[1., 1., 3., 1., 9., 3., 2.]])
    """
    return np.column_stack([np.ones(len(x)), x, y, x * x, y * y, x * y, np.abs(y - x)])


def pearson_of_moments(sums_BF: Floats) -> Floats:
    """Pearson's r; NaN where one side never varies."""
    n_B, x_B, y_B, xx_B, yy_B, xy_B, _ = sums_BF.T
    covariance_B = n_B * xy_B - x_B * y_B
    x_spread_B, y_spread_B = _positive(n_B * xx_B - x_B**2, n_B), _positive(n_B * yy_B - y_B**2, n_B)
    return np.clip(ratio(covariance_B, np.sqrt(x_spread_B * y_spread_B)), -1.0, 1.0)


def mean_error_of_moments(sums_BF: Floats) -> Floats:
    """Mean of y - x."""
    return ratio(sums_BF[:, 2] - sums_BF[:, 1], sums_BF[:, 0])


def mean_absolute_error_of_moments(sums_BF: Floats) -> Floats:
    """Mean of |y - x|."""
    return ratio(sums_BF[:, 6], sums_BF[:, 0])


def alpha_of_moments(sums_BF: Floats) -> Floats:
    """Krippendorff's alpha for an interval scale, two raters without gaps."""
    n_B, x_B, y_B, xx_B, yy_B, xy_B, _ = sums_BF.T
    observed_B = 2 * (xx_B + yy_B - 2 * xy_B)
    expected_B = 2 * _positive(2 * n_B * (xx_B + yy_B) - (x_B + y_B) ** 2, n_B)
    return 1 - ratio(observed_B * (2 * n_B - 1), expected_B)


def icc_of_moments(sums_BF: Floats, form: Form) -> Floats:
    """Intraclass correlation of the two columns as two raters."""
    n_B, x_B, y_B, xx_B, yy_B, xy_B, _ = sums_BF.T
    return icc_of_sums(np.column_stack([n_B, xx_B + 2 * xy_B + yy_B, xx_B + yy_B, x_B, y_B]), 2, form)


def _positive(spread_B: Floats, n_B: Floats) -> Floats:
    """A sum of squared distances, 0 where only rounding is left of it, NaN for no samples."""
    return np.where(n_B > 0, np.where(spread_B > 1e-10 * n_B * n_B, spread_B, 0.0), math.nan)
