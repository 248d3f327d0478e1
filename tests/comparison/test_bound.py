import pytest

from evalkit.comparison.bound import decide_bound
from evalkit.comparison.decide import Standing
from evalkit.core.errors import InputError
from evalkit.core.gate import Gate
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
