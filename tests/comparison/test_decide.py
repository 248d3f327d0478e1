import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.comparison.decide import Standing, decide_no_worse
from evalkit.comparison.table import ScorerColumn
from evalkit.core.errors import InputError
from evalkit.core.gate import Gate
from tests.comparison.tables import paired, table

GATE = Gate(metric="support.right", margin=0.05, by=("language",))


def always(wanted: dict[str, str]) -> Standing:
    return Standing(True)


def overall(decisions):
    return next(decision for decision in decisions if not decision.slice)


def test_an_unchanged_model_passes_from_52_samples_on_at_a_margin_of_5_points():
    for n, outcome in ((51, "inconclusive"), (52, "pass")):
        same = table([1.0] * n)
        assert overall(decide_no_worse(GATE, paired(same, same), always)).outcome == outcome


def test_a_clear_loss_is_regressed_and_says_how_much():
    before, after = table([1.0] * 100), table([1.0] * 70 + [0.0] * 30)
    decision = overall(decide_no_worse(GATE, paired(before, after), always))
    assert decision.outcome == "regressed"
    assert decision.difference.value == pytest.approx(-0.30)
    assert "worse by 30 points" in decision.because


def test_where_lower_is_better_the_same_change_is_turned_round_but_shown_as_it_is():
    before, after = table([1.0] * 60 + [0.0] * 40), table([1.0] * 30 + [0.0] * 70)
    decision = overall(decide_no_worse(GATE, paired(before, after, better="lower"), always))
    assert decision.outcome == "pass"
    assert decision.difference.value == pytest.approx(-0.30)
    rise = overall(decide_no_worse(GATE, paired(after, before, better="lower"), always))
    assert rise.outcome == "regressed"
    assert rise.difference.value == pytest.approx(0.30)


def test_a_real_loss_inside_the_margin_passes_and_is_said():
    before, after = table([1.0] * 1000), table([1.0] * 985 + [0.0] * 15)
    decision = overall(decide_no_worse(GATE, paired(before, after), always))
    assert decision.outcome == "pass"
    assert "real but within the margin" in decision.because


def test_a_slice_that_is_not_required_can_regress_but_never_hold_the_gate_up():
    languages = ["en"] * 200 + ["ar"] * 20
    before = table([1.0] * 220, languages=languages)
    slightly = table([1.0] * 219 + [0.0], languages=languages)
    by_slice = {tuple(found.slice.items()): found for found in decide_no_worse(GATE, paired(before, slightly), always)}
    assert by_slice[()].outcome == "pass"
    assert by_slice[("language", "ar"),].outcome == "undecided"
    badly = table([1.0] * 200 + [0.0] * 20, languages=languages)
    by_slice = {tuple(found.slice.items()): found for found in decide_no_worse(GATE, paired(before, badly), always)}
    assert by_slice[("language", "ar"),].outcome == "regressed"


def test_a_required_slice_that_is_too_small_is_inconclusive_and_says_how_many_more_would_do():
    languages = ["en"] * 200 + ["ar"] * 30
    same = table([1.0] * 225 + [0.0] * 5, languages=languages)
    gate = GATE.model_copy(update={"required": ({"language": "ar"},)})
    by_slice = {tuple(found.slice.items()): found for found in decide_no_worse(gate, paired(same, same), always)}
    assert by_slice[("language", "ar"),].outcome == "inconclusive"
    assert by_slice[("language", "ar"),].more_samples_needed == 22


def test_a_required_slice_without_samples_is_an_error():
    same = table([1.0] * 60)
    gate = GATE.model_copy(update={"required": ({"language": "sw"},)})
    with pytest.raises(InputError, match="language=sw has no samples"):
        decide_no_worse(gate, paired(same, same), always)


def test_a_judge_without_a_card_cannot_pass_nor_regress():
    before, after = table([1.0] * 100), table([0.0] * 100)
    decisions = decide_no_worse(GATE, paired(before, after), lambda wanted: Standing(False, "nobody checked it"))
    assert overall(decisions).outcome == "inconclusive"
    assert overall(decisions).because == "nobody checked it"
    assert overall(decisions).p is None
    assert {found.outcome for found in decisions if found.slice} == {"undecided"}


def test_missing_system_scores_above_the_limit_are_invalid_whatever_the_rest_says():
    before = table([1.0] * 100)
    after = table([None] * 3 + [1.0] * 97)
    assert overall(decide_no_worse(GATE, paired(before, after), always)).outcome == "invalid"
    after = table([None] * 2 + [1.0] * 98)
    assert overall(decide_no_worse(GATE, paired(before, after), always)).outcome == "pass"


def test_missing_verdicts_above_the_limit_are_inconclusive_not_zero():
    before = table([1.0] * 100)
    after = table([None] * 3 + [1.0] * 97, blame=["judge"] * 3 + [None] * 97)
    decision = overall(decide_no_worse(GATE, paired(before, after), always))
    assert decision.outcome == "inconclusive"
    assert decision.candidate.value == 1.0
    assert decision.candidate.n_missing == 3


def test_a_candidates_failure_counts_as_wrong_in_either_direction():
    before = table([1.0] * 100)
    after = table([None] * 30 + [1.0] * 70, blame=["candidate"] * 30 + [None] * 70)
    assert overall(decide_no_worse(GATE, paired(before, after), always)).outcome == "regressed"
    good = table([0.0] * 100)
    failed = table([None] * 30 + [0.0] * 70, blame=["candidate"] * 30 + [None] * 70)
    assert overall(decide_no_worse(GATE, paired(good, failed, better="lower"), always)).outcome == "regressed"


def test_tokens_that_do_not_differ_at_all_pass_with_an_interval_that_has_width():
    same = table([20.0, 30.0, 25.0, 40.0] * 50, unit="tokens")
    gate = GATE.model_copy(update={"margin": 2.0})
    decision = overall(decide_no_worse(gate, paired(same, same, better="lower"), always))
    assert decision.outcome == "pass"
    assert decision.difference.low < 0 < decision.difference.high


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_no_decision(rights, random):
    ids = [f"s{number}" for number in range(len(rights))]
    order = list(range(len(rights)))
    random.shuffle(order)
    before = table([1.0] * len(rights), ids=ids)
    after = table([float(right) for right in rights], ids=ids)
    shuffled = table([float(rights[place]) for place in order], ids=[ids[place] for place in order])
    assert decide_no_worse(GATE, paired(before, after), always) == decide_no_worse(
        GATE, paired(before, shuffled), always
    )


def test_with_no_difference_anywhere_a_gate_regresses_at_most_as_often_as_alpha():
    """Four languages of 15 samples; answers differ between the runs by chance alone, half of them either way."""
    rng = np.random.default_rng(20261120)
    languages = [name for name in ("en", "ar", "hi", "zh") for _ in range(15)]
    gate = GATE.model_copy(update={"margin": 0.0})
    regressed = 0
    runs = 400
    for _ in range(runs):
        answers = rng.random((2, 60)) < 0.7
        decisions = decide_no_worse(
            gate,
            paired(
                table(answers[0].astype(float), languages=languages),
                table(answers[1].astype(float), languages=languages),
            ),
            always,
        )
        regressed += any(decision.outcome == "regressed" for decision in decisions)
    # alpha is .05; three Monte Carlo standard errors above it.
    assert regressed / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


def test_every_decision_names_its_gate_and_says_why():
    before, after = table([1.0] * 60, languages=["en", "ar"] * 30), table([0.0, 1.0] * 30, languages=["en", "ar"] * 30)
    for decision in itertools.chain(decide_no_worse(GATE, paired(before, after), always)):
        assert decision.gate == "support.right no_worse_than"
        assert decision.because


def test_a_candidate_that_gives_no_value_on_half_its_samples_does_not_pass_on_the_other_half():
    before = table([20.0] * 200, unit="tokens")
    after = table([20.0] * 100 + [None] * 100, blame=[None] * 100 + ["candidate"] * 100, unit="tokens")
    gate = GATE.model_copy(update={"margin": 5.0})
    decision = overall(decide_no_worse(gate, paired(before, after, better="lower"), always))
    assert decision.outcome == "inconclusive"
    assert "0 in the baseline and 100 in the candidate" in decision.because


def test_missing_attempts_count_in_part():
    """Five attempts each, four of them missing by the system: 80 % of the scores are not there."""
    whole = table([1.0] * 100)
    column = whole.scorers["exact"]
    values = np.hstack([column.values_NK, np.full((100, 4), np.nan)])
    blame = np.hstack([column.blame_NK, np.full((100, 4), "system", dtype=object)])
    labels = np.full((100, 5), None, dtype=object)
    part = dataclasses.replace(whole, scorers={"exact": ScorerColumn("share", values, labels, blame)})
    decision = overall(decide_no_worse(GATE, paired(part, part), always))
    assert decision.outcome == "invalid"
    assert "80 in the baseline" in decision.because


def test_the_smallest_detectable_drop_lies_beyond_the_margin():
    same = table([1.0] * 190 + [0.0] * 10)
    decision = overall(decide_no_worse(GATE, paired(same, same), always))
    assert decision.smallest_detectable_drop > GATE.margin


def test_a_score_of_another_kind_than_the_metric_reads_is_missing_not_left_out():
    """Half of the new model's answers were labelled with a text where the metric is a mean of numbers."""
    before, after = table([4.0] * 100, unit=""), table([4.0] * 50 + [None] * 50, unit="", blame=[None] * 100)
    labels = np.full((100, 1), None, dtype=object)
    labels[50:] = "unusable"
    column = after.scorers["exact"]
    after = dataclasses.replace(after, scorers={"exact": dataclasses.replace(column, labels_NK=labels)})
    decision = overall(decide_no_worse(GATE, paired(before, after), always))
    assert decision.outcome == "inconclusive"
    assert "50 in the candidate" in decision.because
