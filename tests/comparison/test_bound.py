import numpy as np
import pytest

from evalkit.comparison.bound import decide_bound
from evalkit.comparison.decide import Standing
from evalkit.core.errors import InputError
from evalkit.core.gate import Gate
from evalkit.stats.one_sample import lower_limit_of_mean
from tests.comparison.tables import paired, table


def outcome(rule: str, bound: float, rights: int, n: int = 100) -> str:
    run = table([1.0] * rights + [0.0] * (n - rights))
    gate = Gate(metric="support.right", rule=rule, bound=bound)
    return decide_bound(gate, paired(run, run), lambda wanted: Standing(True))[0].outcome


@pytest.mark.parametrize(
    ("rule", "bound", "rights", "expected"),
    [
        ("at_least", 0.8, 95, "pass"),
        ("at_least", 0.8, 82, "inconclusive"),
        ("at_least", 0.8, 60, "regressed"),
        ("at_most", 0.2, 5, "pass"),
        ("at_most", 0.2, 18, "inconclusive"),
        ("at_most", 0.2, 40, "regressed"),
        ("at_most", 0.1, 0, "pass"),
        ("at_least", 0.95, 100, "pass"),
    ],
)
def test_a_number_is_held_against_its_bound_by_its_one_sided_limit(rule, bound, rights, expected):
    assert outcome(rule, bound, rights) == expected


def test_ten_right_of_ten_are_too_few_to_be_surely_above_95_percent():
    assert outcome("at_least", 0.95, 10, n=10) == "inconclusive"


def test_a_gate_without_its_bound_is_an_error():
    run = table([1.0] * 10)
    with pytest.raises(InputError, match="bound"):
        decide_bound(Gate(metric="support.right", rule="at_least"), paired(run, run), lambda wanted: Standing(True))


def test_the_one_sided_limit_of_a_share_near_one_holds_what_it_says():
    """Two attempts a sample, .97 right: the limit must lie below .97 about 95 times in 100."""
    rng = np.random.default_rng(7)
    draws = 400
    below = sum(
        lower_limit_of_mean((rng.random((100, 2)) < 0.97).mean(axis=1), unit="share") <= 0.97 for _ in range(draws)
    )
    assert below / draws >= 0.95 - 3 * (0.05 * 0.95 / draws) ** 0.5


def test_a_bound_gate_shows_both_runs_and_its_bound():
    run = table([1.0] * 95 + [0.0] * 5)
    found = decide_bound(
        Gate(metric="support.right", rule="at_least", bound=0.8), paired(run, run), lambda wanted: Standing(True)
    )[0]
    assert (found.bound, found.baseline.value, found.difference.value) == (0.8, 0.95, 0.0)
    assert 0.8 < found.lower_limit < 0.95
