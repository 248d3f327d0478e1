"""Tango's score limits of the difference of two shares on the same samples.

    b samples only the candidate got right, c only the baseline, of n: (b - c)/n

Unlike Wald's, the limits have width where no sample differs: -/+ z^2/(n + z^2).
Source: Tango 1998, Statistics in Medicine 17:891-908.
"""

import math


def tango_lower(b: float, c: float, n: float, quantile: float) -> float:
    """The difference below the estimate whose score is `quantile`, by bisection (the score falls as it grows).

    b, c and n may be broken: effective counts. The upper limit is -tango_lower(c, b, n, quantile).
    """
    below, above = -1.0, (b - c) / n
    for _ in range(60):
        middle = (below + above) / 2
        if _tango_score(b, c, n, middle) > quantile:
            below = middle
        else:
            above = middle
    return (below + above) / 2


def _tango_score(b: float, c: float, n: float, difference: float) -> float:
    """(b - c - n difference) over its standard deviation at the most likely chances that have this difference."""
    linear = -b - c + (2 * n - b + c) * difference
    root = math.sqrt(max(0.0, linear * linear + 8 * n * c * difference * (1 - difference)))
    chance_lost = (root - linear) / (4 * n)
    variance = n * (2 * chance_lost + difference * (1 - difference))
    distance = b - c - n * difference
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)
