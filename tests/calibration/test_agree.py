import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.stats.alpha import krippendorff_alpha
from evalkit.stats.kappa import cohen_kappa
from tests.calibration.builders import card, columns, find, label, verdict, verdicts

ANN = "aabbaabbabababbaabab"
BEN = "aabbabbbabababbaabbb"
CYD = "abbbaabbabaaabbaabab"
JUDGE = "abbbaabbababaabaabaa"
labels_of_three = st.lists(st.tuples(*[st.sampled_from("abc")] * 4), min_size=3, max_size=25)


def test_every_pair_of_persons_and_all_together(tmp_path: Path) -> None:
    made = card(tmp_path, columns(ann=ANN, ben=BEN, cyd=CYD))
    assert find(made, "cohen_kappa", "ann x cyd").value == pytest.approx(
        cohen_kappa(list(ANN), list(CYD), categories=("a", "b"))
    )
    assert find(made, "krippendorff_alpha_nominal", "humans").value == pytest.approx(
        krippendorff_alpha([list(ANN), list(BEN), list(CYD)])
    )
    assert find(made, "fleiss_kappa", "humans").n == 20
    assert made.judge is None
    assert made.fitness == ()


def test_slots_are_positions_and_never_paired(tmp_path: Path) -> None:
    made = card(tmp_path, columns(rater_slot_1=ANN, rater_slot_2=BEN, rater_slot_3=CYD), verdicts(JUDGE))
    against = {line.against for line in made.estimates}
    assert not any("slot_1 x rater" in name or name == "rater_slot_1" for name in against)
    assert find(made, "fleiss_kappa", "humans").value is not None
    assert {line.statistic for line in made.estimates if line.against == "rater_slot_1 x others"} == {
        "percent_agreement"
    }


def test_the_judge_is_held_against_each_person_the_majority_and_all_raters(tmp_path: Path) -> None:
    made = card(tmp_path, columns(ann=ANN, ben=BEN, cyd=CYD), verdicts(JUDGE))
    pairs = [cohen_kappa(list(human), list(JUDGE), categories=("a", "b")) for human in (ANN, BEN, CYD)]
    assert find(made, "cohen_kappa", "ben").value == pytest.approx(pairs[1])
    assert find(made, "cohen_kappa", "judge x humans").value == pytest.approx(sum(pairs) / 3)
    assert find(made, "accuracy", "majority").n == 20


def test_the_difference_to_people_is_judge_minus_human_alpha_on_the_same_rows(tmp_path: Path) -> None:
    judged = [None, None, *JUDGE[2:]]
    made = card(tmp_path, columns(ann=ANN, ben=BEN, cyd=CYD), verdicts(judged))
    people = [list(human[2:]) for human in (ANN, BEN, CYD)]
    with_judge = [krippendorff_alpha([human, list(JUDGE[2:])]) or 0 for human in people]
    expected = sum(with_judge) / 3 - (krippendorff_alpha(people) or 0)
    line = find(made, "krippendorff_alpha_nominal_minus_humans", "humans")
    assert line.value == pytest.approx(expected)
    assert (line.n, line.n_missing) == (18, 2)


def test_the_difference_on_an_interval_scale_with_gaps(tmp_path: Path) -> None:
    ann, ben, judge = [1, 2, 4, 5, None, 3], [1, 3, 4, 4, 2, None], [1.5, 2, 4.5, 5, 2, 1]
    made = card(tmp_path, columns(ann=ann, ben=ben), verdicts(judge))
    missing = float("nan")
    rows = [[missing if value is None else value for value in row] for row in (ann, ben)]
    with_judge = [krippendorff_alpha([row, judge], "interval") or 0 for row in rows]
    expected = sum(with_judge) / 2 - (krippendorff_alpha(rows, "interval") or 0)
    assert find(made, "krippendorff_alpha_interval_minus_humans", "humans").value == pytest.approx(expected)


def test_a_crowd_is_compared_in_all_its_ratings_at_once(tmp_path: Path) -> None:
    rng = random.Random(0)
    crowd = {f"w{worker:02}": [value if rng.random() < 0.3 else None for value in ANN * 2] for worker in range(20)}
    made = card(tmp_path, columns(**crowd), verdicts(JUDGE * 2))
    line = find(made, "percent_agreement", "judge x humans")
    assert line.method.startswith("all ratings of 20 raters")
    assert not any(" x w" in found.against for found in made.estimates)


def test_missing_verdicts_are_counted_beside_every_figure_and_enter_none(tmp_path: Path) -> None:
    made = card(tmp_path, columns(gold="aabb"), verdicts(["a", "b", None, "b"]), scale="binary:a<b")
    accuracy = find(made, "accuracy", "gold")
    assert (accuracy.value, accuracy.n, accuracy.n_missing) == (pytest.approx(2 / 3), 3, 1)
    assert find(made, "true_positive_rate", "gold").n_missing == 1
    assert find(made, "true_negative_rate", "gold").n_missing == 0
    (confusion,) = [found for found in made.confusions if found.slice == {}]
    assert confusion.counts == ((1, 1), (0, 1))
    assert confusion.n_missing == 1
    (judge,) = [found for found in made.distributions if found.source == "judge" and found.slice == {}]
    assert (judge.counts, judge.n, judge.n_missing) == ({"a": 1, "b": 2}, 3, 1)


def test_one_criterion_stands_with_and_without_its_name(tmp_path: Path) -> None:
    made = card(tmp_path, columns(ann=ANN, ben=BEN), verdicts(JUDGE))
    assert {tuple(line.slice.items()) for line in made.estimates} == {(), (("criterion", "refusal"),)}
    plain, named = (find(made, "cohen_kappa", "ann", where) for where in ({}, {"criterion": "refusal"}))
    assert (plain.value, plain.low, plain.high) == (named.value, named.low, named.high)


def test_several_criteria_are_never_pooled(tmp_path: Path) -> None:
    labels = [label("i0", "ann", "a"), label("i1", "ann", "b")]
    labels += [label("i0", "ann", 3, criterion="style"), label("i1", "ann", 4, criterion="style")]
    labels += [{**row, "annotator": "ben"} for row in labels]
    made = card(tmp_path, labels)
    assert {line.slice["criterion"] for line in made.estimates} == {"refusal", "style"}
    assert made.scale.labels == ()


def test_slices_are_every_column_and_their_combinations(tmp_path: Path) -> None:
    items = [
        {"item_id": f"i{number}", "language": "ar" if number % 2 else "en", "kind": "x" if number < 10 else None}
        for number in range(20)
    ]
    made = card(tmp_path, columns(ann=ANN, ben=BEN), items_rows=items, by=("language", "kind"))
    slices = {tuple(sorted(line.slice.items())) for line in made.estimates if "criterion" not in line.slice}
    assert slices == {
        (),
        (("language", "ar"),),
        (("language", "en"),),
        (("kind", "x"),),
        (("kind", "x"), ("language", "ar")),
        (("kind", "x"), ("language", "en")),
    }
    assert find(made, "percent_agreement", "ann x ben", {"language": "ar"}).n == 10


def test_a_column_that_is_only_shown_is_held_to_no_rule_and_crossed_with_no_other(tmp_path: Path) -> None:
    items = [{"item_id": f"i{n}", "language": "ar" if n % 2 else "en", "made": "near_miss"} for n in range(20)]
    made = card(tmp_path, columns(ann=ANN), verdicts(JUDGE), items_rows=items, by=("language",), show_by=("made",))
    shown = find(made, "percent_agreement", "ann", {"made": "near_miss"})
    assert shown.value == find(made, "percent_agreement", "ann").value
    assert {len(line.slice) for line in made.estimates if "criterion" not in line.slice} == {0, 1}
    assert not [line for line in made.fitness if "made" in line.slice]
    assert [line for line in made.fitness if line.slice == {"language": "ar"}]


def test_labels_by_construction_are_never_called_human(tmp_path: Path) -> None:
    made = card(tmp_path, columns(construction=ANN), verdicts(JUDGE), kind="constructed")
    assert {line.against for line in made.estimates} == {"construction"}
    assert made.fitness


def test_each_order_is_a_slice_and_pooled_with_the_item_as_cluster(tmp_path: Path) -> None:
    judged = [*verdicts("aabb", order="ab"), *verdicts(["a", "b", "b", None], order="ba")]
    made = card(tmp_path, columns(gold="aabb"), judged, order="each")
    pooled = find(made, "accuracy", "gold")
    assert (pooled.value, pooled.n, pooled.n_clusters, pooled.n_missing) == (pytest.approx(6 / 7), 7, 4, 1)
    assert find(made, "accuracy", "gold", {"order": "ab"}).value == 1
    consistency = find(made, "swap_consistency", "itself")
    assert (consistency.value, consistency.n, consistency.n_missing) == (pytest.approx(2 / 3), 3, 1)


def test_systems_are_ranked_by_their_means_and_equal_means_are_tied(tmp_path: Path) -> None:
    systems = {"new": (0.1, 0.2, 0.3), "old": (0.3, 0.2, 0.1), "big": (0.9, 0.8, 0.9), "wee": (0.0, 0.0, 0.1)}
    labels = [
        label(f"i{number}", "gold", value, system=name)
        for name, given in systems.items()
        for number, value in enumerate(given * 2)
    ]
    judged = [verdict(row["item_id"], row["value"], system=row["system"]) for row in labels]
    made = card(tmp_path, labels, judged)
    line = find(made, "system_kendall_tau_b", "gold")
    assert line.value == pytest.approx(1.0)
    assert line.n == 4


def test_a_mean_that_was_made_from_the_raters_lies_on_them(tmp_path: Path) -> None:
    made = card(tmp_path, columns(ann=[1, 2, 5], ben=[2, 4, 5], mean=[1.5, 3, 4.0]))
    assert find(made, "max_absolute_difference", "mean x humans").value == 1


@given(labels_of_three, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_neither_the_order_of_rows_nor_the_names_of_annotators_move_a_figure(
    tmp_path: Path, rows: list[tuple[str, ...]], rng: random.Random
) -> None:
    ann, ben, cyd, judge = map(list, zip(*rows, strict=True))
    labels, judged = columns(ann=ann, ben=ben, cyd=cyd), verdicts(judge)
    swapped = columns(ann=ben, ben=ann, cyd=cyd)
    rng.shuffle(swapped)
    rng.shuffle(judged)
    first, second = card(tmp_path, labels, judged), card(tmp_path, swapped, judged)
    for statistic, against in (
        ("fleiss_kappa", "humans"),
        ("krippendorff_alpha_nominal", "humans"),
        ("cohen_kappa", "ann x ben"),
        ("cohen_kappa", "judge x humans"),
    ):
        one, other = find(first, statistic, against), find(second, statistic, against)
        assert one.value == pytest.approx(other.value, abs=1e-12)
        assert one.n == other.n
