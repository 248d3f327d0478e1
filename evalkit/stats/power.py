"""What a gate with this many samples can find, and how many it needs.

All tests are one-sided at `alpha`, as the gates are. A drop is found when the one-sided test rejects "no worse".
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit.stats import special
from evalkit.stats.clusters import Clusters, Floats, as_finite, cluster_codes, range_or_size, standard_error


def smallest_detectable_drop(
    baseline_N: Sequence[Any] | Floats | None,
    candidate_N: Sequence[Any] | Floats | None,
    *,
    n: int | None = None,
    cluster_N: Clusters = None,
    alpha: float = 0.05,
    power: float = 0.8,
    margin: float = 0.0,
    unit: str = "",
) -> float | None:
    """The drop that paired data with this spread would find with `power`, in the scores' unit.

    margin: a drop is found only where its estimate lies beyond this too, as at a gate.
    n: samples to plan for; None = as many as the data has. Without data (None, None) it is the planned figure for
        shares. Where no pair differs, the spread is taken from one differing pair (by 1 for a share or 0/1 scores,
        else by the scores' range).
    None when nothing can be said: no pairs, one cluster, or scores that are all 0.

    >>> round(smallest_detectable_drop([1] * 90 + [0] * 10, [1] * 85 + [0] * 5 + [1] * 5 + [0] * 5), 3)
    0.08
    """
    if baseline_N is None or candidate_N is None:
        return smallest_detectable_drop_planned(n, alpha=alpha, power=power) if n else None
    baseline, candidate = as_finite(baseline_N, "baseline"), as_finite(candidate_N, "candidate")
    if len(baseline) != len(candidate):
        raise ValueError(f"{len(baseline)} baseline scores for {len(candidate)} candidate scores: pairs are needed")
    codes_N, n_clusters = cluster_codes(cluster_N, len(baseline))
    if n_clusters < 2:
        return None
    error = standard_error(candidate - baseline, codes_N, n_clusters)
    if error == 0:
        error = _span(baseline, candidate, unit) / n_clusters
    error *= math.sqrt(len(baseline) / (n or len(baseline)))
    beyond_margin = margin + float(special.stdtrit(n_clusters - 1, power)) * error
    drop = max(_both_quantiles(alpha, power, n_clusters - 1) * error, beyond_margin if margin > 0 else 0.0)
    return min(drop, 1.0) if unit == "share" and drop > 0 else drop or None


def smallest_detectable_drop_planned(
    n: int, *, binary_discordance: float = 0.1, sd: float | None = None, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The drop that n pairs will find with `power`, before there is data.

    binary_discordance: expected share of samples on which the two runs differ (0/1 scores). A drop needs at least as
        many
        differing samples as itself, so the figure never assumes fewer.
    sd: expected standard deviation of the differences instead, for other scores.
    Raises ValueError when n < 1.

    >>> round(smallest_detectable_drop_planned(400), 3)
    0.039
    """
    if n < 1:
        raise ValueError(f"n = {n}: at least one sample is needed")
    factor = _both_quantiles(alpha, power) / math.sqrt(n)
    if sd is not None:
        return factor * sd
    drop = factor * math.sqrt(binary_discordance)
    return min(1.0, drop if drop <= binary_discordance else max(binary_discordance, factor**2))


def samples_to_pass(
    margin: float, difference: float, sd: float, alpha: float = 0.05, power: float = 0.8, *, unit: str = ""
) -> int | None:
    """Samples with which the lower limit would clear -margin with `power`, if difference and sd stay as they are.

    difference: larger = better. None when the difference is at or below -margin: more samples would not help.
    unit "share": never fewer than `min_n_without_discordance`. With sd = 0 that number is all there is to go by.

    >>> samples_to_pass(margin=0.02, difference=0.0, sd=0.3)
    1392
    """
    room = margin + difference
    if room <= 0:
        return None
    needed = math.ceil((_both_quantiles(alpha, power) * sd / room) ** 2)
    floor = min_n_without_discordance(room, alpha) if unit == "share" or sd == 0 else None
    return max(2, needed, floor or 0)


def min_n_without_discordance(margin: float, alpha: float = 0.05) -> int | None:
    """Pairs of 0/1 scores that a gate needs to pass if no pair differs: Tango's limit is then -z^2/(n + z^2).

    None for a margin of 0, which no number of equal pairs can show.

    >>> min_n_without_discordance(0.05), min_n_without_discordance(0.02)
    (52, 133)
    """
    if margin <= 0:
        return None
    square = special.normal_quantile(1 - alpha) ** 2
    return max(1, math.floor(square * (1 - margin) / margin) + 1)


def _both_quantiles(alpha: float, power: float, degrees: int | None = None) -> float:
    """Quantile of the test plus quantile of the power; of t where the degrees of freedom are known."""
    if degrees is None:
        return special.normal_quantile(1 - alpha) + special.normal_quantile(power)
    return float(special.stdtrit(degrees, 1 - alpha) + special.stdtrit(degrees, power))


def _span(baseline_N: Floats, candidate_N: Floats, unit: str) -> float:
    """By how much one pair could differ: 1 for shares, else the range of the scores, else their size."""
    both = np.concatenate([baseline_N, candidate_N])
    if unit == "share" or bool(np.isin(both, (0.0, 1.0)).all()):
        return 1.0
    return range_or_size(both)
