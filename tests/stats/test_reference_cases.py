"""Published figures, kept with their sources in tests/golden/statistics.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalkit.stats import classification
from evalkit.stats.alpha import krippendorff_alpha
from evalkit.stats.clusters import cluster_codes, standard_error
from evalkit.stats.codes import label_codes
from evalkit.stats.correlation import spearman
from evalkit.stats.icc import icc
from evalkit.stats.intervals import proportion
from evalkit.stats.kappa import fleiss_kappa, gwet_ac1, kappa_of_table, percent_agreement
from evalkit.stats.many_raters import count_labels
from evalkit.stats.multiplicity import benjamini_hochberg, holm
from evalkit.stats.paired import p_worse
from evalkit.stats.permutation import sign_flip_p

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "golden" / "statistics.json").read_text(encoding="utf-8"))
}


@pytest.fixture
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return CASES[request.param]


def reference(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [name], indirect=True)


def near(case: dict[str, Any], value: Any) -> Any:
    return pytest.approx(value, abs=case["tolerance"])


@pytest.mark.parametrize("case", ["kripp-alpha-4coders-12units", "kripp-alpha-binary-2coders"], indirect=True)
def test_alpha_is_the_published_one_on_every_metric(case: dict[str, Any]) -> None:
    for metric, expected in case["expected"].items():
        assert krippendorff_alpha(case["input"]["ratings"], metric) == near(case, expected)


@reference("gwet-ac1-ac2-4raters-12subjects")
def test_ac1_with_missing_ratings_is_the_published_one(case: dict[str, Any]) -> None:
    codes_AN = label_codes(case["input"]["ratings"], ("1", "2", "3", "4", "5"))
    assert gwet_ac1(count_labels(codes_AN, 5)) == near(case, case["expected"]["identity"]["coefficient"])


@reference("kappa-paradox-feinstein-cicchetti")
def test_kappa_falls_with_prevalence_at_the_same_agreement(case: dict[str, Any]) -> None:
    tables = case["input"]["tables"]
    assert [kappa_of_table(table) for table in tables] == near(case, case["expected"]["kappa"])
    assert [classification.accuracy(table) for table in tables] == near(case, case["expected"]["po"])


@reference("cohen-kappa-1960")
def test_kappa_is_cohens_own_figure(case: dict[str, Any]) -> None:
    assert kappa_of_table(case["input"]["table"]) == near(case, case["expected"]["kappa"])


@reference("weighted-kappa-sexualfun")
def test_weighted_kappa_is_the_published_one(case: dict[str, Any]) -> None:
    assert kappa_of_table(case["input"]["table"]) == near(case, case["expected"]["kappa"])
    assert kappa_of_table(case["input"]["table"], "linear") == near(case, case["expected"]["kappa_linear"])


@reference("fleiss-kappa-10x14")
def test_fleiss_kappa_is_the_published_one(case: dict[str, Any]) -> None:
    assert fleiss_kappa(case["input"]["counts"]) == near(case, case["expected"]["kappa"])


@reference("icc-shrout-fleiss-1979")
def test_all_six_intraclass_correlations_are_those_of_shrout_and_fleiss(case: dict[str, Any]) -> None:
    ratings_AN = np.array(case["input"]["ratings"]).T
    for name, form in (
        ("ICC11", "1_1"),
        ("ICC21", "2_1"),
        ("ICC31", "3_1"),
        ("ICC1k", "1_k"),
        ("ICC2k", "2_k"),
        ("ICC3k", "3_k"),
    ):
        assert icc(ratings_AN, form) == near(case, case["expected"][name])  # type: ignore[arg-type]


@reference("binomial-ci-81-263-and-0-20")
def test_wilson_and_clopper_pearson_are_newcombes_table(case: dict[str, Any]) -> None:
    for method, expected in case["expected"].items():
        for (successes, n), ends in zip(case["input"]["cases"], expected, strict=True):
            found = proportion(successes, n, method=method)
            assert [found.low, found.high] == near(case, ends)


@reference("mcnemar-approval")
def test_the_one_sided_exact_mcnemar_is_half_of_the_two_sided(case: dict[str, Any]) -> None:
    won, lost = case["input"]["small_table_discordant"]
    baseline, candidate = [0] * won + [1] * lost, [1] * won + [0] * lost
    p, _ = p_worse(baseline, candidate)
    assert 2 * p == near(case, case["expected"]["small_exact_p"])


@reference("holm-4-pvalues")
def test_holm_is_the_worked_example(case: dict[str, Any]) -> None:
    assert holm(case["input"]["p"]) == near(case, case["expected"]["adjusted"])


@reference("bh-1995-15-pvalues")
def test_benjamini_hochberg_rejects_four_and_holm_three(case: dict[str, Any]) -> None:
    p_values, expected = case["input"]["p"], case["expected"]
    adjusted = benjamini_hochberg(p_values)
    assert adjusted[:4] == near(case, expected["bh_adjusted_first4"])
    assert sum(p < case["input"]["level"] for p in adjusted) == expected["bh_rejections"]
    assert sum(p < case["input"]["level"] for p in holm(p_values)) == expected["holm_rejections"]


@reference("clustered-se-4x3")
def test_the_clustered_standard_error_is_millers(case: dict[str, Any]) -> None:
    scores = np.array(case["input"]["scores"], dtype=float)
    codes_N, n_clusters = cluster_codes(case["input"]["clusters"], len(scores))
    assert standard_error(scores, codes_N, n_clusters, corrected=False) == near(case, case["expected"]["se_clustered"])
    assert standard_error(scores, np.arange(12), 12) == near(case, case["expected"]["se_iid"])


@reference("paired-permutation-darwin")
def test_darwins_maize_gives_863_of_32768_sign_patterns(case: dict[str, Any]) -> None:
    p = sign_flip_p(-np.array(case["input"]["differences"], dtype=float))
    assert p is not None
    assert round(p * case["expected"]["total"]) == case["expected"]["as_extreme_one_sided"]
    # Not whole numbers: the patterns are counted by halves instead of convolved.
    assert sign_flip_p(-np.array(case["input"]["differences"]) / np.pi) == pytest.approx(p, abs=1e-12)


@reference("spearman-iq-tv")
def test_spearman_is_the_worked_example(case: dict[str, Any]) -> None:
    assert spearman(case["input"]["x"], case["input"]["y"]) == near(case, case["expected"]["rho"])


@reference("judge-confusion")
def test_the_figures_of_a_confusion_table_are_their_closed_forms(case: dict[str, Any]) -> None:
    counts, expected = case["input"], case["expected"]
    table = [[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]]
    assert classification.true_positive_rate(table) == near(case, expected["tpr"])
    assert classification.true_negative_rate(table) == near(case, expected["tnr"])
    assert classification.precision(table) == near(case, expected["precision"])
    assert classification.f1(table) == near(case, expected["f1"])
    assert classification.balanced_accuracy(table) == near(case, expected["balanced_accuracy"])
    assert classification.matthews_correlation(table) == near(case, expected["mcc"])
    assert kappa_of_table(table) == near(case, expected["kappa"])


@reference("degenerate-all-one-label")
def test_one_label_throughout_is_undefined_not_zero_or_one(case: dict[str, Any]) -> None:
    first, second = case["input"]["rater_a"], case["input"]["rater_b"]
    assert percent_agreement(first, second) == case["expected"]["percent_agreement"]
    assert kappa_of_table([[0, 0], [0, 12]]) is None
    assert krippendorff_alpha([first, second]) is None
