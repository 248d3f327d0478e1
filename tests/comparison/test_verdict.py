import pytest

from evalkit.comparison.verdict import exit_code, overall_verdict, status_line, verdict_sentence
from evalkit.core.estimate import Estimate
from evalkit.core.gate import Decision


def decision(outcome: str, metric: str = "t.a", severity: str = "blocking", change: float = 0.0) -> Decision:
    estimate = Estimate(value=0.5, low=0.4, high=0.6, n=100, unit="share")
    return Decision(
        gate=f"{metric} no_worse_than",
        metric=metric,
        outcome=outcome,
        severity=severity,
        baseline=estimate,
        candidate=estimate,
        difference=estimate.model_copy(update={"value": change}),
        margin=0.05,
        n_pairs=100,
        because="because",
    )


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (("pass", "pass"), "pass"),
        (("pass", "undecided"), "pass"),
        (("pass", "inconclusive"), "inconclusive"),
        (("inconclusive", "invalid"), "invalid"),
        (("invalid", "regressed"), "regressed"),
    ],
)
def test_the_verdict_is_the_worst_blocking_outcome(outcomes, verdict):
    assert (
        overall_verdict(tuple(decision(outcome, metric=f"t.{place}") for place, outcome in enumerate(outcomes)))
        == verdict
    )


def test_an_advisory_gate_never_blocks():
    assert overall_verdict((decision("pass"), decision("regressed", "t.b", "advisory"))) == "pass"


def test_without_a_blocking_gate_nothing_passes():
    assert overall_verdict((decision("pass", severity="advisory"),)) == "inconclusive"


@pytest.mark.parametrize(
    ("verdict", "safety", "policy", "code"),
    [
        ("pass", True, "default", 0),
        ("regressed", False, "warn", 1),
        ("inconclusive", True, "default", 3),
        ("inconclusive", False, "default", 0),
        ("inconclusive", False, "fail", 3),
        ("inconclusive", True, "warn", 0),
        ("invalid", False, "warn", 4),
    ],
)
def test_the_exit_code_follows_the_verdict_and_the_policy(verdict, safety, policy, code):
    assert exit_code(verdict, (decision(verdict),), lambda metric: safety, policy) == code


def test_the_sentence_names_the_worst_decision():
    worst = decision("regressed", "t.worst", change=-0.4).model_copy(update={"p_adjusted": 0.001})
    mild = decision("regressed", change=-0.1).model_copy(update={"p_adjusted": 0.04})
    assert "t.worst" in verdict_sentence("regressed", (mild, worst, decision("pass", "t.c")))


def test_the_status_line_counts_gates_not_slices():
    found = (decision("regressed"), decision("undecided"), decision("inconclusive", "t.b"))
    assert status_line("regressed", 1, found) == "evalkit: verdict=regressed exit=1 gates=2 failed=1 inconclusive=1"
