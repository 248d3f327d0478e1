"""Recorded judges and real labels: the sentences that a release stands on."""

from pathlib import Path

import pytest

from tests.calibration.builders import find, fitness
from tests.published.cards import Cards


def test_the_gpt4_judge_of_refusals_is_unfit_beside_two_people(recorded_data: Path) -> None:
    made = Cards(recorded_data / "xstest").card("xstest")
    found = fitness(made)
    assert found.fit_for == "not"
    assert found.because.startswith("unfit: Cohen kappa .654 [")
    assert "against the adjudicated label, where two people reach .96" in found.because
    assert find(made, "cohen_kappa", "adjudicated").n_missing == 11


def test_a_string_match_agrees_better_than_that_judge(recorded_data: Path) -> None:
    made = Cards(recorded_data / "xstest").card("xstest_string_match")
    assert find(made, "cohen_kappa", "adjudicated").value == pytest.approx(0.7697, abs=5e-5)


def test_a_negative_agreement_is_reported_and_does_not_fail(recorded_data: Path) -> None:
    made = Cards(recorded_data / "hanna").card("hanna", judgements=None)
    line = find(made, "icc_2_k", "humans", {"criterion": "coherence"})
    assert line.value == pytest.approx(-0.1794, abs=5e-5)
