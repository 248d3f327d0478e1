import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.intervals import mean, mean_t, proportion, share


def binomial(n: int, p: float) -> np.ndarray:
    return np.array([math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)])


@pytest.mark.parametrize("method", ["wilson", "clopper_pearson", "jeffreys"])
@pytest.mark.parametrize("n", [1, 2, 20, 263])
def test_a_share_of_none_or_all_still_has_a_width(method: str, n: int) -> None:
    none, everything = proportion(0, n, method=method), proportion(n, n, method=method)
    assert none.low == 0 and none.high > 0
    assert everything.high == 1 and everything.low < 1
    assert none.high == pytest.approx(1 - everything.low)


@pytest.mark.parametrize("method", ["wilson", "clopper_pearson", "jeffreys"])
def test_intervals_of_a_share_are_those_of_statsmodels(method: str) -> None:
    proportions = pytest.importorskip("statsmodels.stats.proportion")
    names = {"clopper_pearson": "beta", "wilson": "wilson", "jeffreys": "jeffreys"}
    for successes, n in ((3, 20), (81, 263), (19, 20)):
        expected = proportions.proportion_confint(successes, n, method=names[method])
        found = proportion(successes, n, level=0.95, method=method)
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [10, 20, 50])
def test_clopper_pearson_never_covers_less_than_it_says_and_wilson_does_on_average(n: int) -> None:
    shares = np.linspace(0.02, 0.98, 97)
    coverage = {}
    for method in ("wilson", "clopper_pearson"):
        ends = [proportion(x, n, method=method) for x in range(n + 1)]
        coverage[method] = [
            sum(chance for chance, end in zip(binomial(n, p), ends, strict=True) if end.low <= p <= end.high)
            for p in shares
        ]
    assert min(coverage["clopper_pearson"]) >= 0.95
    assert 0.94 < float(np.mean(coverage["wilson"])) < 0.97


def test_a_clustered_share_is_plain_wilson_where_every_cluster_is_one_sample() -> None:
    values = [1, 0, 1, 1, 0, 1, 1, 1]
    alone, named = share(values), share(values, cluster_N=list("abcdefgh"))
    assert (alone.low, alone.high, alone.n_clusters) == (named.low, named.high, None)
    assert named.n_clusters == 8


def test_samples_that_repeat_one_another_earn_no_narrower_interval() -> None:
    once = share([1, 1, 0, 1, 0, 1], cluster_N=list("abcdef"))
    five_times = share([1, 1, 0, 1, 0, 1] * 5, cluster_N=list("abcdef") * 5)
    assert five_times.n == 30 and five_times.n_clusters == 6
    assert five_times.high - five_times.low >= once.high - once.low


def test_all_right_in_clusters_counts_clusters_not_samples() -> None:
    found = share([1] * 60, cluster_N=[number // 6 for number in range(60)])
    assert found.high == 1
    assert found.low < proportion(10, 10).low


def test_one_cluster_gives_a_share_without_interval_and_says_why() -> None:
    found = share([1, 0, 1], cluster_N=["q", "q", "q"])
    assert found.value == pytest.approx(2 / 3)
    assert found.low is None and "one cluster" in found.reason


def test_a_share_refuses_other_values() -> None:
    with pytest.raises(ValueError, match="zeros and ones"):
        share([0, 0.5, 1])


def test_no_samples_is_undefined_with_a_reason() -> None:
    for found in (proportion(0, 0), share([]), mean_t([]), mean([], unit="share")):
        assert found.value is None and found.reason == "no samples" and found.n == 0


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 successes of 2"):
        proportion(3, 2)


def test_the_t_interval_is_the_textbook_one() -> None:
    statistics = pytest.importorskip("scipy.stats")
    values = np.array([0.2, 0.9, 0.4, 0.8, 0.35])
    found = mean_t(values)
    expected = statistics.t.interval(0.95, 4, loc=values.mean(), scale=statistics.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_clustered_t_interval_has_the_error_statsmodels_gives() -> None:
    linear = pytest.importorskip("statsmodels.regression.linear_model")
    rng = np.random.default_rng(3)
    cluster_N = np.repeat(np.arange(9), 4)
    values_N = rng.normal(size=9)[cluster_N] + rng.normal(size=36)
    fit = linear.OLS(values_N, np.ones((36, 1))).fit(
        cov_type="cluster", cov_kwds={"groups": cluster_N, "use_correction": True, "df_correction": True}, use_t=True
    )
    # statsmodels' correction has the further factor (N - 1)/(N - 1) for one parameter: the same.
    found = mean_t(values_N, cluster_N=cluster_N)
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))


def test_equal_values_have_a_width_that_shrinks_with_the_clusters() -> None:
    few, many = mean_t([1.0] * 10, unit="share"), mean_t([1.0] * 100, unit="share")
    assert few.low < many.low < 1 and many.high == 1
    assert mean_t([7.0] * 10).low == pytest.approx(7 - 7 * (1 - 0.025 ** (1 / 10)))


def test_equal_zeros_have_no_interval_and_say_why() -> None:
    found = mean_t([0.0, 0.0, 0.0])
    assert found.value == 0 and found.low is None and found.reason


def test_one_sample_has_no_interval_and_says_why() -> None:
    found = mean_t([0.3])
    assert (found.value, found.low, found.high) == (0.3, None, None)
    assert "one sample" in found.reason


def test_values_that_are_not_numbers_are_named() -> None:
    with pytest.raises(ValueError, match=r"values\[1\] is nan"):
        mean_t([1.0, math.nan])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=40), st.randoms())
def test_the_order_of_samples_does_not_move_a_mean(pairs: list[tuple[int, int]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for unit in ("share", ""):
        first = mean([value for value, _ in pairs], cluster_N=[name for _, name in pairs], unit=unit)
        second = mean([value for value, _ in shuffled], cluster_N=[name for _, name in shuffled], unit=unit)
        assert first.n == second.n and first.n_clusters == second.n_clusters and first.method == second.method
        for end in ("value", "low", "high"):
            one, other = getattr(first, end), getattr(second, end)
            assert one == other if one is None else one == pytest.approx(other, abs=1e-9)
