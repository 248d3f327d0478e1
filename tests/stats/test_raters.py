from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.estimate import Estimate
from evalkit.core.scale import Scale
from evalkit.stats.agreement import agreement_estimates, rater_estimates
from evalkit.stats.alpha import krippendorff_alpha
from evalkit.stats.icc import icc
from evalkit.stats.kappa import fleiss_kappa, gwet_ac1
from evalkit.stats.many_raters import count_labels

GRADES = Scale.parse("ordinal:1<2<3<4<5")
NOMINAL, INTERVAL = Scale.parse("nominal"), Scale.parse("interval")


def estimates(ratings: Any, scale: Scale, n_draws: int = 300, **more: Any) -> dict[str, Estimate]:
    return rater_estimates(ratings, scale=scale, rng=np.random.default_rng(0), n_draws=n_draws, **more)


def grades(n_raters: int, n: int, missing: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    true_N = rng.integers(1, 6, n)
    ratings = np.clip(true_N + rng.integers(-1, 2, (n_raters, n)), 1, 5).astype(str).astype(object)
    ratings[rng.random((n_raters, n)) < missing] = None
    return ratings


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("scale", [NOMINAL, GRADES, INTERVAL])
def test_alpha_with_missing_ratings_is_that_of_krippendorff(scale: Scale, missing: float) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    ratings = grades(4, 50, missing)
    numbers = np.array([[np.nan if label is None else float(label) for label in row] for row in ratings])
    expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement=scale.kind)
    found = estimates(numbers if scale is INTERVAL else ratings, scale)[f"krippendorff_alpha_{scale.kind}"]
    assert found.value == pytest.approx(expected)
    assert krippendorff_alpha(numbers, scale.kind) == pytest.approx(expected)
    assert found.low < expected < found.high
    assert found.n + found.n_missing == 50


def test_ratio_alpha_is_that_of_krippendorff() -> None:
    krippendorff = pytest.importorskip("krippendorff")
    ratings = [[1, 2, 3, None, 8, 13.0], [1, 2.5, 3, 4, 9, 10], [None, 2, 3, 5, 8, None]]
    numbers = np.array(ratings, dtype=float)
    expected = krippendorff.alpha(reliability_data=numbers, level_of_measurement="ratio")
    assert krippendorff_alpha(ratings, "ratio") == pytest.approx(expected)
    with pytest.raises(ValueError, match="no negative values"):
        krippendorff_alpha([[-1, 2], [1, 2]], "ratio")


def test_interval_alpha_takes_as_many_different_values_as_ratings() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(2, 50_000)) + rng.normal(size=50_000)
    assert krippendorff_alpha(numbers, "interval") == pytest.approx(0.5, abs=0.02)
    assert krippendorff_alpha(numbers, "ordinal") == pytest.approx(0.48, abs=0.02)


def test_fleiss_kappa_is_that_of_statsmodels_over_the_samples_all_have_rated() -> None:
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    ratings = grades(3, 60, 0.1)
    complete = ratings[:, (ratings != None).all(axis=0)]  # noqa: E711  # elementwise
    table, _ = inter_rater.aggregate_raters(complete.T.astype(int))
    found = estimates(ratings, GRADES)["fleiss_kappa"]
    assert found.value == pytest.approx(inter_rater.fleiss_kappa(table))
    assert fleiss_kappa(table) == pytest.approx(found.value)
    assert (found.n, found.n_missing) == (complete.shape[1], 60 - complete.shape[1])


def test_estimates_have_the_value_of_the_point_functions() -> None:
    ratings = grades(3, 40, 0.15)
    found = estimates(ratings, GRADES)
    codes_AN = np.array([[-1 if label is None else int(label) - 1 for label in row] for row in ratings])
    complete = codes_AN[:, (codes_AN >= 0).all(axis=0)]
    assert found["gwet_ac1"].value == pytest.approx(gwet_ac1(count_labels(codes_AN, 5)))
    for name, form in (("icc_2_1", "2_1"), ("icc_2_k", "2_k"), ("icc_3_1", "3_1")):
        assert found[name].value == pytest.approx(icc(complete, form))  # type: ignore[arg-type]
        assert found[name].n == complete.shape[1]


def test_two_raters_agree_with_the_figures_of_a_pair() -> None:
    ratings = grades(2, 80, 0.0)
    many = estimates(ratings, GRADES)
    pair = agreement_estimates(ratings[0], ratings[1], scale=GRADES, rng=np.random.default_rng(0), n_draws=300)
    for name in (
        "percent_agreement",
        "krippendorff_alpha_nominal",
        "krippendorff_alpha_ordinal",
        "gwet_ac1",
        "icc_2_1",
    ):
        assert many[name].value == pytest.approx(pair[name].value), name
    agreement = many["percent_agreement"]
    assert (agreement.low, agreement.high) == (pair["percent_agreement"].low, pair["percent_agreement"].high)


def test_raters_who_never_rated_the_same_sample_are_undefined_with_a_reason() -> None:
    for scale, ratings in ((NOMINAL, [["a", None], [None, "b"]]), (INTERVAL, [[1.0, None], [None, 2.0]])):
        for name, found in estimates(ratings, scale).items():
            assert found.value is None and "no sample has two ratings" in found.reason, name
            assert (found.n, found.n_missing) == (0, 2)


def test_raters_who_always_agree_keep_a_width() -> None:
    one = grades(1, 40, 0.0)[0]
    for name, found in estimates([one, one, one], GRADES).items():
        assert found.value == pytest.approx(1), name
        assert found.low < 1 and found.high == pytest.approx(1), name
    for name, found in estimates(np.array([one, one]).astype(float), INTERVAL).items():
        assert found.value == pytest.approx(1) and found.low < 1, name


def test_one_label_throughout_is_undefined_with_a_reason() -> None:
    found = estimates([["a"] * 10] * 3, NOMINAL)
    assert found["fleiss_kappa"].value is None and found["krippendorff_alpha_nominal"].value is None
    assert "one label throughout" in found["fleiss_kappa"].reason
    assert found["percent_agreement"].value == 1


def test_intraclass_correlations_need_a_sample_that_all_have_rated() -> None:
    found = estimates([[1.0, 2.0, None], [2.0, None, 3.0], [None, 2.0, 4.0]], INTERVAL)["icc_2_1"]
    assert found.value is None and "every rater" in found.reason


def test_fleiss_kappa_refuses_samples_with_different_numbers_of_ratings() -> None:
    with pytest.raises(ValueError, match="same number of ratings"):
        fleiss_kappa([[2, 0], [1, 2]])


ratings_of_three = st.lists(
    st.tuples(*[st.sampled_from(["1", "2", "3", None])] * 3, st.integers(0, 5)), min_size=1, max_size=20
)


@given(ratings_of_three, st.randoms(), st.permutations([0, 1, 2]))
def test_order_of_raters_and_samples_moves_no_estimate(rows: list[Any], random: Any, raters: list[int]) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    columns, other = np.array(rows, dtype=object).T, np.array(shuffled, dtype=object).T
    first = estimates(columns[:3], GRADES, n_draws=20, cluster_N=list(columns[3]))
    again = estimates(other[:3][raters], GRADES, n_draws=20, cluster_N=list(other[3]))
    for name, found in first.items():
        if found.value is None:
            assert found.reason and again[name].value is None, name
            continue
        assert again[name].value == pytest.approx(found.value, abs=1e-9), name
        assert (again[name].n, again[name].n_missing) == (found.n, found.n_missing)
        for end in ("low", "high"):
            one, two = getattr(found, end), getattr(again[name], end)
            assert (one is None) == (two is None) and (one is None or one == pytest.approx(two, abs=1e-6)), name
