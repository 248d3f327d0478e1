import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.bootstrap import bootstrap
from evalkit.stats.clusters import standard_error
from evalkit.stats.correlation import (
    kendall_at_worst,
    kendall_influence,
    kendall_tau_b,
    pearson,
    spearman,
    spearman_at_worst,
    spearman_influence,
)
from evalkit.stats.dominance import concordance_counts

tied_pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


@given(tied_pairs)
def test_concordant_and_discordant_partners_are_counted_as_by_hand(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    products = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    concordant, discordant = concordance_counts(x, y)
    assert (concordant == (products > 0).sum(axis=1)).all()
    assert (discordant == (products < 0).sum(axis=1)).all()


@given(tied_pairs.filter(lambda pairs: all(len(set(side)) > 1 for side in zip(*pairs, strict=True))))
def test_correlations_with_ties_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    statistics = pytest.importorskip("scipy.stats")
    x, y = np.array(pairs, dtype=float).T
    assert kendall_tau_b(x, y) == pytest.approx(statistics.kendalltau(x, y).statistic)
    assert spearman(x, y) == pytest.approx(statistics.spearmanr(x, y).statistic)
    assert pearson(x, y) == pytest.approx(statistics.pearsonr(x, y).statistic)
    assert spearman_influence(x, y)[0] == pytest.approx(spearman(x, y))


@pytest.mark.parametrize("round_to", [0.01, 1.0])
@pytest.mark.parametrize(
    ("influence", "statistic"), [(spearman_influence, spearman), (kendall_influence, kendall_tau_b)]
)
def test_the_error_from_influence_is_the_spread_of_the_bootstrap(influence, statistic, round_to) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(4)
    x = np.round(rng.normal(size=300) / round_to)
    y = np.round((0.7 * x * round_to + rng.normal(size=300)) / round_to)
    _, influence_N = influence(x, y)
    error = standard_error(influence_N, np.arange(300), 300)
    draws = [statistic(x[picked], y[picked]) for picked in rng.integers(0, 300, (300, 300))]
    assert error == pytest.approx(np.std(draws), rel=0.15)


@pytest.mark.parametrize("correlate", [pearson, spearman, kendall_tau_b])
def test_a_side_that_never_varies_or_a_single_sample_is_undefined(correlate) -> None:  # type: ignore[no-untyped-def]
    assert correlate([1, 1, 1], [1, 2, 3]) is None
    assert correlate([1], [1]) is None
    assert correlate([], []) is None
    with pytest.raises(ValueError, match="pairs are needed"):
        correlate([1, 2], [1])


@pytest.mark.parametrize("count", [1, 7, 30])
def test_the_worst_unseen_order_is_what_the_formulas_say(count: int) -> None:
    """All in one order, but for a share that is highest in x and lowest in y."""
    n = 2000
    x, y = np.arange(n, dtype=float), np.arange(n, dtype=float)
    x[:count], y[:count] = n, -1
    assert spearman(x, y) == pytest.approx(spearman_at_worst(count / n), abs=0.01)
    assert kendall_tau_b(x, y) >= kendall_at_worst(count / n) - 1 / n


def test_the_general_bootstrap_resamples_clusters_whole() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=40), 5)
    clusters = np.repeat(np.arange(40), 5)
    alone = bootstrap(lambda picked: float(values[picked].mean()), 200, rng=np.random.default_rng(1), n_draws=500)
    whole = bootstrap(
        lambda picked: float(values[picked].mean()), 200, cluster_N=clusters, rng=np.random.default_rng(1), n_draws=500
    )
    assert (whole.high - whole.low) / (alone.high - alone.low) == pytest.approx(5**0.5, rel=0.15)
    assert whole.n_clusters == 40 and alone.n_clusters is None


def test_the_general_bootstrap_says_what_it_cannot_do() -> None:
    rng = np.random.default_rng(0)
    same = bootstrap(lambda picked: 1.0, 20, rng=rng, n_draws=50)
    assert same.value == 1 and same.low is None and "same value" in same.reason
    rare = bootstrap(lambda picked: 1.0 if 0 in picked else float("nan"), 20, rng=rng, n_draws=200)
    assert rare.low is None and "undefined in" in rare.reason
    assert bootstrap(lambda picked: float("nan"), 20, rng=rng, n_draws=5).value is None
    assert bootstrap(lambda picked: 1.0, 0, rng=rng).reason == "no samples"
