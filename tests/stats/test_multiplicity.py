import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm

METHODS = {"holm": holm, "fdr_bh": benjamini_hochberg, "fdr_by": benjamini_yekutieli}
many_p = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@pytest.mark.parametrize("method", METHODS)
def test_adjusted_p_values_are_those_of_statsmodels(method: str) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p_values = [0.001, 0.2, 0.03, 0.03, 1.0, 0.0, 0.008]
    expected = multitest.multipletests(p_values, method=method)[1]
    assert METHODS[method](p_values) == pytest.approx(list(expected))


@given(many_p)
def test_adjusting_never_lowers_a_p_and_keeps_their_order(p_values: list[float]) -> None:
    for adjust in METHODS.values():
        adjusted = adjust(p_values)
        assert all(
            after >= before * (1 - 1e-12) and after <= 1 for before, after in zip(p_values, adjusted, strict=True)
        )
        ranked = [after for _, after in sorted(zip(p_values, adjusted, strict=True))]
        assert ranked == sorted(ranked)


def test_no_tests_need_no_adjusting() -> None:
    assert holm([]) == benjamini_hochberg([]) == benjamini_yekutieli([]) == []


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        holm([0.5, 1.5])
