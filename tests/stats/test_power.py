import math

import numpy as np
import pytest

from evalkit.stats.paired import lower_limit
from evalkit.stats.power import (
    min_n_without_discordance,
    samples_to_pass,
    smallest_detectable_drop,
    smallest_detectable_drop_planned,
)


@pytest.mark.parametrize(("margin", "n"), [(0.05, 52), (0.02, 133)])
def test_the_smallest_n_that_can_pass_is_the_one_at_which_the_limit_clears_the_margin(margin: float, n: int) -> None:
    assert min_n_without_discordance(margin) == n
    assert lower_limit([1] * n, [1] * n) > -margin
    assert lower_limit([1] * (n - 1), [1] * (n - 1)) <= -margin


def test_no_number_of_equal_pairs_shows_a_margin_of_zero() -> None:
    assert min_n_without_discordance(0.0) is None


def test_a_drop_of_the_size_said_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    n, sd = 60, 0.5
    drop = smallest_detectable_drop_planned(n, sd=sd)
    limits = []
    for _ in range(400):
        difference = rng.normal(-drop, sd, n)
        half = 1.671 * difference.std(ddof=1) / math.sqrt(n)
        limits.append(difference.mean() + half < 0)
    assert np.mean(limits) == pytest.approx(0.8, abs=0.06)


def test_four_times_the_samples_halve_the_drop() -> None:
    assert smallest_detectable_drop_planned(1600) == pytest.approx(smallest_detectable_drop_planned(400) / 2)
    baseline, candidate = [1] * 50 + [0] * 50, [1] * 45 + [0] * 50 + [1] * 5
    now = smallest_detectable_drop(baseline, candidate)
    assert smallest_detectable_drop(baseline, candidate, n=400) == pytest.approx(now / 2)


def test_a_planned_drop_never_assumes_fewer_discordant_pairs_than_the_drop_needs() -> None:
    for n in (1, 5, 10, 30, 62, 63, 100):
        drop = smallest_detectable_drop_planned(n, binary_discordance=0.1)
        assert drop <= 1
        assert drop >= (1.645 + 0.8416) * math.sqrt(min(0.1, drop) / n) * 0.999


def test_equal_runs_take_their_spread_from_one_differing_pair() -> None:
    drop = smallest_detectable_drop([1] * 100, [1] * 100)
    assert drop == pytest.approx((1.6604 + 0.8453) / 100, abs=2e-4)


def test_nothing_can_be_said_of_one_cluster_or_none() -> None:
    assert smallest_detectable_drop([], []) is None
    assert smallest_detectable_drop([1, 0], [1, 1], cluster_N=["q", "q"]) is None
    assert smallest_detectable_drop(None, None) is None
    assert smallest_detectable_drop(None, None, n=400) == smallest_detectable_drop_planned(400)


def test_more_samples_help_only_above_the_margin() -> None:
    assert samples_to_pass(0.02, -0.02, 0.3) is None
    needed = samples_to_pass(0.02, 0.0, 0.3)
    half = (1.6449 + 0.8416) * 0.3 / math.sqrt(needed)
    assert half <= 0.02 < (1.6449 + 0.8416) * 0.3 / math.sqrt(needed - 1) + 1e-9
    assert samples_to_pass(0.05, 0.0, 0.0) == 52
    assert samples_to_pass(0.05, 0.0, 0.1, unit="share") == 52


def test_planning_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        smallest_detectable_drop_planned(0)
