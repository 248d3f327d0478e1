from pathlib import Path

import pytest

from tests.calibration.builders import card, columns, find, fitness, outcomes, verdicts

GOLD = "ab" * 150


def flipped(labels: str, every: int) -> str:
    """Labels of two classes, each `every`-th turned round."""
    other = {"a": "b", "b": "a"}
    return "".join(other[value] if number % every == 0 else value for number, value in enumerate(labels))


def test_a_judge_as_good_as_people_is_fit_for_gating(tmp_path: Path) -> None:
    labels = columns(ann=GOLD, ben=flipped(GOLD, 31), adjudicated=GOLD)
    found = fitness(card(tmp_path, labels, verdicts(flipped(GOLD, 37)), scale="binary:a<b"))
    assert found.fit_for == "gating"
    assert set(outcomes(found).values()) == {"met"}
    assert found.because.startswith("fit for gating: Cohen kappa .94")
    assert "against the adjudicated label, where two people reach .93" in found.because


def test_a_judge_that_never_errs_beside_people_who_never_disagree_is_fit(tmp_path: Path) -> None:
    found = fitness(card(tmp_path, columns(ann=GOLD, ben=GOLD, gold=GOLD), verdicts(GOLD), scale="binary:a<b"))
    assert found.fit_for == "gating"


def test_a_judge_farther_from_people_than_they_from_each_other_is_unfit(tmp_path: Path) -> None:
    labels = columns(ann=GOLD, ben=GOLD, adjudicated=GOLD)
    found = fitness(card(tmp_path, labels, verdicts(flipped(GOLD, 7)), scale="binary:a<b"))
    assert found.fit_for == "not"
    assert outcomes(found)["absolute_agreement"] == "met"
    assert outcomes(found)["distance_to_humans"] == "failed"
    assert found.because.startswith("unfit: ")


def test_one_annotator_is_enough_where_no_distance_can_be_measured(tmp_path: Path) -> None:
    found = fitness(card(tmp_path, columns(ann=GOLD), verdicts(flipped(GOLD, 19)), scale="binary:a<b"))
    assert outcomes(found)["distance_to_humans"] == "not_available"
    assert found.fit_for == "gating"


@pytest.mark.parametrize(("n", "fit_for"), [(40, "not"), (120, "advisory"), (300, "gating")])
def test_too_few_labels_lower_what_a_good_judge_is_fit_for(tmp_path: Path, n: int, fit_for: str) -> None:
    found = fitness(card(tmp_path, columns(gold=GOLD[:n]), verdicts(GOLD[:n]), scale="binary:a<b"))
    assert found.fit_for == fit_for
    rule = next(rule for rule in found.rules if rule.rule == "labels")
    assert f"{n} labelled responses, {n // 2} of the rarer class" in rule.because


def test_a_rare_class_needs_labels_of_its_own(tmp_path: Path) -> None:
    gold = "a" * 260 + "b" * 40
    found = fitness(card(tmp_path, columns(gold=gold), verdicts(gold), scale="binary:a<b"))
    assert outcomes(found)["labels"] == "failed"
    assert "label 10 more of that class" in found.because


def test_a_class_that_is_mostly_missed_fails_its_own_rule(tmp_path: Path) -> None:
    gold = "a" * 240 + "b" * 60
    judge = "a" * 270 + "b" * 30
    found = fitness(card(tmp_path, columns(gold=gold), verdicts(judge), scale="binary:a<b"))
    assert outcomes(found)["true_positive_rate"] == "failed"
    assert outcomes(found)["true_negative_rate"] == "met"
    assert found.fit_for == "not"


def test_where_people_do_not_agree_the_slice_is_void(tmp_path: Path) -> None:
    labels = columns(ann=GOLD, ben="aabb" * 75, gold=GOLD)
    found = fitness(card(tmp_path, labels, verdicts(GOLD), scale="binary:a<b"))
    assert outcomes(found)["human_agreement"] == "failed"
    assert found.fit_for == "not"
    assert "mend the guideline" in found.because


def test_a_rule_that_is_met_only_because_verdicts_are_missing_has_failed(tmp_path: Path) -> None:
    gold = GOLD[:300]
    judged = [None if number % 5 == 0 else value for number, value in enumerate(flipped(gold, 9))]
    found = fitness(card(tmp_path, columns(gold=gold), verdicts(judged), scale="binary:a<b"))
    rule = next(rule for rule in found.rules if rule.rule == "absolute_agreement")
    assert rule.outcome == "failed"
    assert "60 verdicts are missing, and if each disagreed it would be" in rule.because
    assert found.fit_for == "advisory"


def test_numbers_alone_can_advise_but_not_gate(tmp_path: Path) -> None:
    ratings = [number % 5 + 1 for number in range(300)]
    found = fitness(card(tmp_path, columns(ann=ratings, ben=ratings), verdicts(ratings)))
    assert outcomes(found)["recall"] == "not_available"
    assert found.fit_for == "advisory"


def test_an_ordinal_judge_is_looked_at_on_both_sides_of_every_cut(tmp_path: Path) -> None:
    levels = ["none", "partial", "full"] * 100
    too_mild = ["none" if value == "partial" else value for value in levels]
    made = card(tmp_path, columns(gold=levels), verdicts(too_mild), scale="ordinal:none<partial<full")
    rule = next(rule for rule in fitness(made).rules if rule.rule == "recall")
    assert rule.outcome == "failed"
    assert 'of "partial" or above (the gold label) the judge finds .500' in rule.because
    assert find(made, "krippendorff_alpha_ordinal", "gold").value is not None


def test_of_more_than_two_classes_the_lowest_recall_counts(tmp_path: Path) -> None:
    gold = "abc" * 100
    made = card(tmp_path, columns(gold=gold), verdicts("aba" * 100))
    rule = next(rule for rule in fitness(made).rules if rule.rule == "recall")
    assert 'lowest of all classes: of "c"' in rule.because


def test_the_reference_is_adjudicated_before_gold_before_the_majority(tmp_path: Path) -> None:
    people = {"ann": GOLD, "ben": GOLD, "cyd": GOLD}
    for extra, words in (
        ({"adjudicated": GOLD, "gold": GOLD}, "against the adjudicated label"),
        ({"gold": GOLD}, "against the gold label"),
        ({}, "against the majority label"),
    ):
        found = fitness(card(tmp_path, columns(**people, **extra), verdicts(flipped(GOLD, 30)), scale="binary:a<b"))
        assert words in found.because


def test_another_reference_can_be_chosen(tmp_path: Path) -> None:
    made = card(tmp_path, columns(ann=GOLD, gold=GOLD), verdicts(flipped(GOLD, 30)), reference="ann")
    assert "against ann" in fitness(made).because


def test_between_two_annotators_the_one_farther_away_decides(tmp_path: Path) -> None:
    labels = columns(ann=GOLD, ben=flipped(GOLD, 12))
    found = fitness(card(tmp_path, labels, verdicts(GOLD), scale="binary:a<b"))
    assert "against ben" in found.because
