import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.estimate import Estimate
from evalkit.core.scale import Scale
from evalkit.stats.agreement import agreement_estimates, rater_estimates
from evalkit.stats.intervals import proportion

NOMINAL, BINARY, INTERVAL = Scale.parse("nominal"), Scale.parse("binary:no<yes"), Scale.parse("interval")
ORDINAL = Scale.parse("ordinal:none<some<most<all")


def estimates(
    reference: Any, judge: Any, scale: Scale, seed: int = 0, n_draws: int = 400, **more: Any
) -> dict[str, Estimate]:
    return agreement_estimates(reference, judge, scale=scale, rng=np.random.default_rng(seed), n_draws=n_draws, **more)


def noisy(labels: tuple[str, ...], n: int, agreement: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.choice(labels, n)
    return reference, np.where(rng.random(n) < agreement, reference, rng.choice(labels, n))


def test_nominal_figures_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    reference, judge = noisy(("a", "b", "tie"), 300, 0.7)
    found = {name: estimate.value for name, estimate in estimates(reference, judge, NOMINAL).items()}
    assert found["accuracy"] == found["percent_agreement"] == pytest.approx(metrics.accuracy_score(reference, judge))
    assert found["cohen_kappa"] == pytest.approx(metrics.cohen_kappa_score(reference, judge))
    assert found["matthews_correlation"] == pytest.approx(metrics.matthews_corrcoef(reference, judge))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(reference, judge))
    for name in ("precision", "recall", "f1"):
        expected = getattr(metrics, f"{name}_score")(reference, judge, average="macro")
        assert found[f"macro_{name}"] == pytest.approx(expected)


def test_binary_figures_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    reference, judge = noisy(("no", "yes"), 200, 0.6)
    found = estimates(reference, judge, BINARY)
    for name in ("precision", "recall", "f1"):
        expected = getattr(metrics, f"{name}_score")(reference, judge, pos_label="yes")
        assert found[name].value == pytest.approx(expected)
        assert found[name].low < expected < found[name].high
    assert found["true_positive_rate"] == found["recall"]
    expected = metrics.recall_score(reference, judge, pos_label="no")
    assert found["true_negative_rate"].value == pytest.approx(expected)
    assert found["true_negative_rate"].n == (reference == "no").sum()


def test_weighted_kappas_count_steps_of_the_scale_and_not_of_the_labels_that_occur() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    reference, judge = noisy(("none", "some", "all"), 80, 0.5)
    found = estimates(reference, judge, ORDINAL)
    for kind in ("linear", "quadratic"):
        expected = metrics.cohen_kappa_score(reference, judge, labels=list(ORDINAL.labels), weights=kind)
        assert found[f"cohen_kappa_{kind}"].value == pytest.approx(expected)


@pytest.mark.parametrize("scale", [NOMINAL, ORDINAL, INTERVAL])
def test_alpha_of_two_raters_is_that_of_krippendorff(scale: Scale) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    reference, judge = noisy(ORDINAL.labels, 60, 0.5)
    places = [[float(ORDINAL.labels.index(label)) for label in labels] for labels in (reference, judge)]
    both = places if scale is INTERVAL else [reference, judge]
    expected = krippendorff.alpha(reliability_data=places, level_of_measurement=scale.kind)
    found = estimates(*both, scale)[f"krippendorff_alpha_{scale.kind}"]
    assert found.value == pytest.approx(expected)
    assert found.low < expected < found.high


def test_correlations_and_errors_are_those_of_scipy_and_numpy() -> None:
    statistics = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(2)
    reference = rng.normal(50, 20, 150)
    judge = np.round(reference / 2 + rng.normal(0, 10, 150))
    found = {name: estimate.value for name, estimate in estimates(reference, judge, INTERVAL).items()}
    assert found["pearson"] == pytest.approx(statistics.pearsonr(reference, judge).statistic)
    assert found["spearman"] == pytest.approx(statistics.spearmanr(reference, judge).statistic)
    assert found["kendall_tau_b"] == pytest.approx(statistics.kendalltau(reference, judge).statistic)
    assert found["mean_absolute_error"] == pytest.approx(np.abs(judge - reference).mean())
    assert found["bias"] == pytest.approx((judge - reference).mean())


def test_ordinal_labels_count_as_their_places() -> None:
    reference, judge = noisy(ORDINAL.labels, 120, 0.6)
    places = [np.array([float(ORDINAL.labels.index(label)) for label in labels]) for labels in (reference, judge)]
    by_label, by_number = estimates(reference, judge, ORDINAL), estimates(*places, INTERVAL)
    for name in ("pearson", "spearman", "kendall_tau_b", "mean_absolute_error", "bias", "icc_2_1", "icc_3_1"):
        assert by_label[name].value == pytest.approx(by_number[name].value)


def test_a_label_that_is_not_on_the_scale_is_named() -> None:
    with pytest.raises(ValueError, match='"lots" is not on the scale: expected none, some, most, all'):
        estimates(["none", "lots"], ["none", "some"], ORDINAL)


def test_a_missing_verdict_is_refused_by_its_place() -> None:
    with pytest.raises(ValueError, match=r"judge\[1\] is missing"):
        estimates(["a", "b"], ["a", None], NOMINAL)
    with pytest.raises(ValueError, match=r"reference\[0\] is missing"):
        estimates([math.nan, 1.0], [1.0, 2.0], INTERVAL)
    with pytest.raises(ValueError, match="2 reference labels for 1 verdicts"):
        estimates(["a", "b"], ["a"], NOMINAL)


def test_full_agreement_keeps_a_width_that_shrinks_with_n() -> None:
    lows = []
    for n in (20, 200):
        reference, _ = noisy(ORDINAL.labels, n, 1.0)
        for name, found in estimates(reference, reference, ORDINAL).items():
            assert found.low < found.high, name
            assert found.low <= found.value <= found.high
        lows.append(estimates(reference, reference, ORDINAL)["cohen_kappa"].low)
    assert lows[0] < lows[1] < 1


def test_full_agreement_reaches_down_to_what_could_stand_unseen() -> None:
    """20 samples of 20 agree with chance .025 when a share of 1 - .025**(1/20) disagrees."""
    labels = ["no"] * 10 + ["yes"] * 10
    found = estimates(labels, labels, BINARY)
    unseen = 1 - 0.025 ** (1 / 20)
    # The worst 2 x 2 table with that share in one cell off the diagonal.
    table = np.array([[10 * (1 - unseen), 20 * unseen], [0, 10 * (1 - unseen)]]) / 20
    chance = (table.sum(0) * table.sum(1)).sum()
    assert found["cohen_kappa"].low == pytest.approx((np.trace(table) - chance) / (1 - chance))
    assert "unseen" in found["cohen_kappa"].method


def test_a_judge_that_always_says_the_same_has_kappa_zero_with_a_width() -> None:
    found = estimates(["no"] * 15 + ["yes"] * 15, ["yes"] * 30, BINARY)
    assert found["cohen_kappa"].value == pytest.approx(0)
    assert found["cohen_kappa"].low < 0 < found["cohen_kappa"].high
    assert found["matthews_correlation"].value is None and "never varies" in found["matthews_correlation"].reason
    assert found["macro_precision"].value is None and "never says" in found["macro_precision"].reason
    assert found["true_positive_rate"].value == 1 and found["true_negative_rate"].value == 0


def test_one_label_throughout_is_undefined_with_a_reason() -> None:
    found = estimates(["no"] * 12, ["no"] * 12, BINARY)
    for name in ("cohen_kappa", "krippendorff_alpha_nominal", "true_positive_rate", "f1", "balanced_accuracy"):
        assert found[name].value is None and found[name].reason, name
    assert found["percent_agreement"].value == 1.0
    assert found["percent_agreement"].low == proportion(12, 12).low


@pytest.mark.parametrize("scale", [NOMINAL, BINARY, ORDINAL, INTERVAL, Scale.parse("preference")])
def test_no_samples_leave_every_statistic_undefined(scale: Scale) -> None:
    for found in (estimates([], [], scale), rater_estimates([[], []], scale=scale, rng=np.random.default_rng(0))):
        assert found
        for name, estimate in found.items():
            assert estimate.value is None and estimate.reason and estimate.n == 0, name


def test_numbers_that_never_vary_are_undefined_and_not_zero() -> None:
    found = estimates([3.0] * 10, [3.0] * 10, INTERVAL)
    assert all(found[name].value is None for name in ("pearson", "spearman", "kendall_tau_b", "icc_2_1"))
    assert found["bias"].value == 0
    assert estimates([3.0] * 10, list(range(10)), INTERVAL)["pearson"].value is None


def test_a_class_too_rare_to_resample_has_no_interval_and_says_why() -> None:
    found = estimates(["no"] * 19 + ["yes"], ["no"] * 18 + ["yes", "yes"], BINARY)["cohen_kappa"]
    assert found.value is not None and found.low is None and "undefined in" in found.reason


def test_too_few_samples_have_no_drawn_interval_and_say_why() -> None:
    found = estimates(["a", "b", "a"], ["a", "b", "b"], NOMINAL)
    assert found["cohen_kappa"].low is None and "at least 5" in found["cohen_kappa"].reason
    assert found["accuracy"].low is not None


def test_draws_and_seed_are_said() -> None:
    reference, judge = noisy(("a", "b"), 50, 0.7)
    found = estimates(reference, judge, NOMINAL, seed=7, n_draws=300)
    assert found["cohen_kappa"].method == "bootstrap bca, 300 draws by sample, seed 7"
    clustered = estimates(reference, judge, NOMINAL, seed=7, n_draws=300, cluster_N=np.arange(50) // 2)
    assert clustered["cohen_kappa"].method == "bootstrap bca, 300 draws by cluster, seed 7"
    assert (clustered["cohen_kappa"].n, clustered["cohen_kappa"].n_clusters) == (50, 25)


def test_the_same_seed_gives_the_same_interval() -> None:
    reference, judge = noisy(("a", "b", "c"), 80, 0.7)
    assert estimates(reference, judge, NOMINAL) == estimates(reference, judge, NOMINAL)
    assert estimates(reference, judge, NOMINAL)["cohen_kappa"] != estimates(reference, judge, NOMINAL, 1)["cohen_kappa"]


@pytest.mark.parametrize("scale", [NOMINAL, INTERVAL])
def test_samples_repeated_in_clusters_earn_no_narrower_interval(scale: Scale) -> None:
    reference, judge = noisy(("1", "2", "3", "4"), 60, 0.6)
    if scale is INTERVAL:
        reference, judge = reference.astype(float), judge.astype(float)
    once = estimates(reference, judge, scale, n_draws=2000)
    repeated = estimates(
        np.repeat(reference, 4), np.repeat(judge, 4), scale, n_draws=2000, cluster_N=np.repeat(np.arange(60), 4)
    )
    for name, single in once.items():
        width, clustered = single.high - single.low, repeated[name].high - repeated[name].low
        assert clustered > 0.85 * width, name


rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 4)), min_size=1, max_size=30)


@given(rows, st.randoms())
def test_order_of_samples_and_names_of_labels_and_clusters_move_no_estimate(rows: list[Any], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    renamed = dict(zip("abc", ("first", "second", "third"), strict=True))  # sorted alike, so the same draws
    first = estimates(*_columns(rows)[:2], NOMINAL, n_draws=50, cluster_N=_columns(rows)[2])
    reference, judge, names = _columns(shuffled)
    again = estimates(
        [renamed[label] for label in reference],
        [renamed[label] for label in judge],
        NOMINAL,
        n_draws=50,
        cluster_N=[f"c{name}" for name in names],
    )
    _same(first, again, ("value", "low", "high"))


@given(rows)
def test_swapping_raters_and_renaming_nominal_labels_leave_every_symmetric_value(rows: list[Any]) -> None:
    reference, judge, _ = _columns(rows)
    first, turned = estimates(reference, judge, NOMINAL, n_draws=5), estimates(judge, reference, NOMINAL, n_draws=5)
    other = {"a": "z", "b": "m", "c": "k"}
    renamed = estimates([other[label] for label in reference], [other[label] for label in judge], NOMINAL, n_draws=5)
    _same(first, renamed, ("value",))
    symmetric = (
        "accuracy",
        "cohen_kappa",
        "krippendorff_alpha_nominal",
        "gwet_ac1",
        "macro_f1",
        "matthews_correlation",
    )
    _same({name: first[name] for name in symmetric}, {name: turned[name] for name in symmetric}, ("value",))
    _same({"x": first["macro_precision"]}, {"x": turned["macro_recall"]}, ("value",))


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 8)), min_size=2, max_size=25),
    st.randoms(),
)
def test_numbers_keep_their_figures_when_reordered_swapped_or_turned_upside_down(rows: list[Any], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    first = _numbers(rows)
    _same(first, _numbers(shuffled), ("value", "low", "high"))
    swapped = _numbers([(judge, reference, name) for reference, judge, name in rows])
    upside_down = _numbers([(-reference, -judge, name) for reference, judge, name in rows])
    for name in first:
        sign = -1 if name == "bias" else 1
        for other in (swapped, upside_down):
            if first[name].value is None:
                assert other[name].value is None and other[name].reason
            else:
                assert other[name].value == pytest.approx(sign * first[name].value, abs=1e-9)


def _numbers(rows: list[Any]) -> dict[str, Estimate]:
    reference, judge, names = _columns(rows)
    return estimates(np.array(reference, dtype=float), np.array(judge, dtype=float), INTERVAL, cluster_N=names)


def _columns(rows: list[Any]) -> Any:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _same(first: dict[str, Estimate], second: dict[str, Estimate], fields: tuple[str, ...]) -> None:
    assert first.keys() == second.keys()
    for name, estimate in first.items():
        if estimate.value is None:
            assert estimate.reason and second[name].value is None, name
        for field in fields:
            one, other = getattr(estimate, field), getattr(second[name], field)
            assert (one is None) == (other is None), name
            assert one is None or one == pytest.approx(other, abs=1e-9), name


@pytest.mark.parametrize(("n", "agreement"), [(30, 0.8), (200, 0.975)])
def test_kappas_interval_covers_the_truth_about_as_often_as_it_says(n: int, agreement: float) -> None:
    rng = np.random.default_rng(11)
    truth = 2 * agreement - 1
    covered, draws = 0, 150
    for seed in range(draws):
        reference = rng.choice(["no", "yes"], n)
        right = rng.random(n) < agreement
        judge = np.where(right == (reference == "yes"), "yes", "no")
        found = estimates(reference, judge, BINARY, seed=seed, n_draws=500)["cohen_kappa"]
        covered += found.low <= truth <= found.high
    assert covered / draws >= 0.91


@pytest.mark.parametrize("name", ["pearson", "spearman", "kendall_tau_b", "icc_3_1"])
def test_intervals_of_clustered_numbers_cover_the_truth_about_as_often_as_they_say(name: str) -> None:
    rng = np.random.default_rng(12)
    correlation = 0.49
    truth = {
        "spearman": 6 / math.pi * math.asin(correlation / 2),
        "kendall_tau_b": 2 / math.pi * math.asin(correlation),
    }
    covered, draws = 0, 150
    for _ in range(draws):
        shared = np.repeat(rng.normal(size=25), 4) * 0.7
        reference = shared + 0.5099**0.5 * rng.normal(size=100)
        judge = shared + 0.5099**0.5 * rng.normal(size=100)
        found = estimates(reference, judge, INTERVAL, cluster_N=np.arange(100) // 4)[name]
        covered += found.low <= truth.get(name, correlation) <= found.high
    assert covered / draws >= 0.89
