import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.calibration import sums
from evalkit.stats.alpha import alpha_of_coincidences, krippendorff_alpha

codes = st.lists(st.lists(st.integers(-1, 2), min_size=6, max_size=6), min_size=2, max_size=4)
numbers = st.lists(
    st.lists(st.one_of(st.just(float("nan")), st.integers(1, 5).map(float)), min_size=6, max_size=6),
    min_size=2,
    max_size=4,
)


@given(codes)
def test_coincidences_with_gaps_give_krippendorffs_alpha(ratings: list[list[int]]) -> None:
    ratings_AN = np.array(ratings, dtype=np.int16)
    counted = sums.coincidence_counts(ratings_AN, 3).sum(axis=0).reshape(1, 3, 3)
    found = alpha_of_coincidences(counted, "nominal")[0]
    expected = krippendorff_alpha(np.where(ratings_AN < 0, np.nan, ratings_AN.astype(float)))
    assert found == pytest.approx(expected) if expected is not None else np.isnan(found)


@given(numbers)
def test_moments_with_gaps_give_krippendorffs_alpha(ratings: list[list[float]]) -> None:
    ratings_AN = np.array(ratings)
    found = sums.alpha_of_rater_moments(sums.rater_moments(ratings_AN).sum(axis=0)[None])[0]
    expected = krippendorff_alpha(ratings_AN, "interval")
    assert found == pytest.approx(expected) if expected is not None else np.isnan(found)


def test_a_sample_that_one_side_lacks_adds_nothing() -> None:
    reference, judge = np.array([0, -1, 1], dtype=np.int16), np.array([0, 1, -1], dtype=np.int16)
    assert sums.pair_counts(reference, judge, 2).sum() == 1
    assert sums.gapped_pair_moments(np.array([1.0, np.nan]), np.array([2.0, 2.0]))[1].tolist() == [0] * 7
