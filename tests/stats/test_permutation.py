from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.permutation import sign_flip_p


def by_hand(sums: list[float]) -> float:
    patterns = [
        sum(sign * abs(value) for sign, value in zip(signs, sums, strict=True))
        for signs in product((-1, 1), repeat=len(sums))
    ]
    return float(np.mean([total <= sum(sums) + 1e-9 for total in patterns]))


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_whole_sums_are_counted_as_by_hand(sums: list[int]) -> None:
    assert sign_flip_p(np.array(sums, dtype=float)) == pytest.approx(by_hand([float(value) for value in sums]))


@given(st.lists(st.floats(-1, 1).filter(lambda value: value == 0 or abs(value) > 1e-3), min_size=1, max_size=9))
def test_any_sums_are_counted_as_by_hand(sums: list[float]) -> None:
    assert sign_flip_p(np.array(sums)) == pytest.approx(by_hand(sums))


def test_averages_over_attempts_are_convolved_like_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(-3, 4, 300).astype(float)
    assert sign_flip_p(whole / 3) == pytest.approx(sign_flip_p(whole), abs=1e-12)


def test_clusters_without_a_difference_change_nothing() -> None:
    assert sign_flip_p(np.array([-1.0, -2.0, 3.0] + [0.0] * 50)) == sign_flip_p(np.array([-1.0, -2.0, 3.0]))
    assert sign_flip_p(np.zeros(5)) == 1.0


def test_many_continuous_sums_are_left_to_the_t_test() -> None:
    assert sign_flip_p(np.random.default_rng(1).normal(size=100)) is None
