import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.paired import lower_limit, p_worse, paired_difference, tango_interval


def scores(won: int, lost: int, n: int) -> tuple[list[int], list[int]]:
    """Baseline and candidate with so many discordant pairs, the rest right in both."""
    even = n - won - lost
    return [0] * won + [1] * lost + [1] * even, [1] * won + [0] * lost + [1] * even


def trinomial(won: int, lost: int, n: int, chance_won: float, chance_lost: float) -> float:
    ways = math.comb(n, won) * math.comb(n - won, lost)
    return ways * chance_won**won * chance_lost**lost * (1 - chance_won - chance_lost) ** (n - won - lost)


def test_the_value_is_the_mean_of_candidate_minus_baseline() -> None:
    found = paired_difference([0, 1, 0, 1], [1, 1, 0, 1], unit="share")
    assert (found.value, found.n, found.n_clusters, found.unit, found.method) == (0.25, 4, None, "share", "tango")
    assert found.low < 0.25 < found.high


def test_tango_gives_published_limits() -> None:
    # R package contingencytables, Tango_asymptotic_score_CI_paired_2x2, airway hyper-responsiveness (Bentur 2009).
    assert tango_interval(1, 7, 21) == pytest.approx((-0.5173, -0.0260), abs=1e-4)


@pytest.mark.parametrize("n", [1, 52, 133, 1000])
def test_without_a_discordant_pair_tango_reaches_the_closed_form(n: int) -> None:
    square = 1.959963984540054**2
    assert tango_interval(0, 0, n) == pytest.approx((-square / (n + square), square / (n + square)))


@pytest.mark.parametrize(("won", "lost", "n"), [(0, 5, 5), (5, 0, 5), (0, 0, 3), (2, 2, 4)])
def test_tango_stays_within_minus_one_and_one(won: int, lost: int, n: int) -> None:
    low, high = tango_interval(won, lost, n)
    assert -1 <= low <= (won - lost) / n <= high <= 1


@pytest.mark.parametrize(
    ("n", "chance_won", "chance_lost"),
    [(30, 0.1, 0.1), (30, 0.0, 0.05), (52, 0.02, 0.05), (60, 0.2, 0.25), (40, 0.3, 0.1)],
)
def test_tangos_one_sided_lower_limit_covers_what_it_says(n: int, chance_won: float, chance_lost: float) -> None:
    """By enumerating every outcome: 95 % nominal; a score limit may dip a little below for one p and n."""
    truth = chance_won - chance_lost
    covered = sum(
        trinomial(won, lost, n, chance_won, chance_lost)
        for won, lost in product(range(n + 1), repeat=2)
        if won + lost <= n
        and trinomial(won, lost, n, chance_won, chance_lost) > 1e-7
        and lower_limit(*scores(won, lost, n), alpha=0.05) <= truth
    )
    assert covered >= 0.925


@pytest.mark.parametrize("n", [10, 25])
@pytest.mark.parametrize("discordance", [0.05, 0.3, 1.0])
def test_p_worse_rejects_an_unchanged_candidate_at_most_alpha_of_the_time(n: int, discordance: float) -> None:
    for alpha in (0.01, 0.05):
        rejected = sum(
            trinomial(won, lost, n, discordance / 2, discordance / 2)
            for won, lost in product(range(n + 1), repeat=2)
            if won + lost <= n and p_worse(*scores(won, lost, n))[0] < alpha
        )
        assert rejected <= alpha


def test_clustered_sign_flips_reject_an_unchanged_candidate_at_most_alpha_of_the_time() -> None:
    """All sign patterns of six clusters, as likely as one another when nothing changed."""
    sizes = np.array([1, 1, 2, 3, 3, 5])
    p_values = []
    for signs in product((-1, 1), repeat=6):
        baseline = np.repeat(np.array(signs) < 0, sizes).astype(float)
        p_values.append(p_worse(baseline, 1 - baseline, cluster_N=np.repeat(np.arange(6), sizes))[0])
    for alpha in (0.05, 0.1, 0.3):
        assert np.mean(np.array(p_values) <= alpha) <= alpha + 1e-12


def test_no_difference_at_all_has_p_one_and_an_interval_with_width() -> None:
    rng = np.random.default_rng(0)
    for values, cluster_N, unit in (
        (np.ones(80), None, "share"),
        (rng.random(80), None, "share"),
        (rng.normal(300, 50, 80), None, "tokens"),
        (np.ones(80), np.arange(80) // 4, "share"),
    ):
        found = paired_difference(values, values, cluster_N=cluster_N, unit=unit)
        assert found.value == 0 and found.low < 0 < found.high
        assert p_worse(values, values, cluster_N=cluster_N)[0] == 1.0


def test_where_nothing_differs_the_limit_is_the_share_of_clusters_that_could() -> None:
    values = np.linspace(0, 1, 60)
    limit = lower_limit(values, values, alpha=0.05, unit="share")
    assert limit == pytest.approx(-(1 - 0.05 ** (1 / 60)))
    on_five_points = lower_limit(np.full(60, 4.0), np.full(60, 4.0), alpha=0.05, span=4.0)
    assert on_five_points == pytest.approx(4 * limit)


def test_equal_scores_of_zero_have_no_interval_and_say_why() -> None:
    found = paired_difference([-0.0] * 3 + [2.0], [0.0] * 3 + [2.0], cluster_N=["a"] * 4)
    assert found.low is None and "one cluster" in found.reason
    assert paired_difference([], []).reason == "no pairs"
    assert lower_limit([], []) is None and p_worse([], []) == (None, "no pairs")


def test_a_drop_everywhere_is_found() -> None:
    p, name = p_worse([0.5] * 40, [0.4] * 40)
    assert p == pytest.approx(0.5**40) and "sign flips" in name
    found = paired_difference([0.5] * 40, [0.4] * 40, unit="share")
    assert found.high > -0.1 > found.low


def test_the_t_interval_is_that_of_the_differences() -> None:
    statistics = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(5)
    baseline, candidate = rng.normal(size=50), rng.normal(size=50)
    found = paired_difference(baseline, candidate)
    expected = statistics.ttest_rel(candidate, baseline).confidence_interval(0.95)
    assert (found.low, found.high, found.method) == (pytest.approx(expected.low), pytest.approx(expected.high), "t")
    p, _ = p_worse(baseline, candidate)
    assert p == pytest.approx(statistics.ttest_rel(candidate, baseline, alternative="less").pvalue)


def test_a_clustered_difference_is_no_narrower_than_its_clusters_allow() -> None:
    rng = np.random.default_rng(6)
    by_cluster = rng.normal(size=40)
    baseline, candidate = np.zeros(200), np.repeat(by_cluster, 5)
    clustered = paired_difference(baseline, candidate, cluster_N=np.repeat(np.arange(40), 5))
    alone = paired_difference(np.zeros(40), by_cluster)
    assert (clustered.low, clustered.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert (clustered.n, clustered.n_clusters) == (200, 40)


@pytest.mark.parametrize(
    ("n_clusters", "size", "chance_lost", "chance_won"), [(60, 2, 0.04, 0.0), (40, 3, 0.05, 0.05), (100, 1, 0.03, 0.0)]
)
def test_the_lower_limit_of_few_differing_clusters_covers_what_it_says(
    n_clusters: int, size: int, chance_lost: float, chance_won: float
) -> None:
    """Wald's t limit covers .80 in the last; whole clusters change side together, by a third of a point."""
    rng = np.random.default_rng(7)
    draws = 400
    covered = 0
    for _ in range(draws):
        side_G = rng.choice([-1.0, 0.0, 1.0], n_clusters, p=[chance_lost, 1 - chance_lost - chance_won, chance_won])
        difference_N = np.repeat(side_G / 3, size)
        limit = lower_limit(
            np.full(len(difference_N), 0.5),
            0.5 + difference_N,
            cluster_N=np.repeat(np.arange(n_clusters), size),
            unit="share",
        )
        covered += limit <= (chance_won - chance_lost) / 3
    assert covered / draws >= 0.92


binary_pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40)


@given(binary_pairs, st.randoms(), st.booleans())
def test_order_and_names_of_samples_move_nothing_and_swapping_runs_turns_the_sign(
    rows: list[tuple[int, int, int]], random: object, clustered: bool
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    baseline, candidate, names = zip(*rows, strict=True)
    cluster_N = list(names) if clustered else None
    first = paired_difference(baseline, candidate, cluster_N=cluster_N, unit="share")
    again = paired_difference(
        [row[0] for row in shuffled],
        [row[1] for row in shuffled],
        cluster_N=[f"c{row[2]}" for row in shuffled] if clustered else None,
        unit="share",
    )
    turned = paired_difference(candidate, baseline, cluster_N=cluster_N, unit="share")
    assert turned.value == pytest.approx(-first.value)
    if first.low is None:
        assert first.reason and again.low is None and turned.low is None
        return
    assert (again.low, again.high) == (pytest.approx(first.low, abs=1e-9), pytest.approx(first.high, abs=1e-9))
    assert (-turned.high, -turned.low) == (pytest.approx(first.low, abs=1e-9), pytest.approx(first.high, abs=1e-9))
    assert first.low < first.high
    assert first.low <= first.value <= first.high


def test_runs_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 baseline scores for 3"):
        paired_difference([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="1 cluster ids for 2"):
        paired_difference([0, 1], [0, 1], cluster_N=["a"])


def test_scores_turned_round_because_lower_is_better_are_binary_too() -> None:
    baseline, candidate = scores(2, 5, 40)
    turned = paired_difference([-score for score in candidate], [-score for score in baseline])
    plain = paired_difference(baseline, candidate)
    assert (turned.method, turned.low, turned.high) == ("tango", plain.low, plain.high)
