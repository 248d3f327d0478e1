import re

from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.estimate import Estimate
from evalkit.report.numbers import MINUS, NO_NUMBER, amount_text, difference_text, direction, interval_text, value_text

FACTORS = {"share": 100.0, "usd": 1.0, "tokens": 1.0, "s": 1.0, "": 1.0}


def read(text: str) -> float:
    """The number in a shown text."""
    found = re.search(rf"({MINUS}?)\$?([\d,]+\.?\d*)", text)
    assert found is not None
    return float(found.group(2).replace(",", "")) * (-1 if found.group(1) else 1)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    """An estimate with an interval."""
    value = draw(st.floats(-1e4, 1e4))
    below, above = draw(st.floats(1e-4, 1e3)), draw(st.floats(1e-4, 1e3))
    unit = draw(st.sampled_from(sorted(FACTORS)))
    return Estimate(value=value, low=value - below, high=value + above, n=9, unit=unit)


@given(estimates())
def test_what_is_shown_is_the_value_within_a_third_of_half_the_interval(estimate: Estimate) -> None:
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    half = (estimate.high - estimate.low) / 2
    factor = FACTORS[estimate.unit]
    assert abs(read(value_text(estimate)) / factor - estimate.value) <= half / 3 * 0.51 + 1e-9
    low, high = (read(end) / factor for end in interval_text(estimate).strip("[]").split(", "))
    assert low <= estimate.value + half / 3
    assert high >= estimate.value - half / 3


@given(estimates())
def test_a_difference_shows_its_sign_or_is_shown_as_zero(estimate: Estimate) -> None:
    assert estimate.value is not None
    shown = difference_text(estimate)
    if read(shown) == 0:
        assert not shown.startswith(("+", MINUS))
    else:
        assert shown.startswith("+" if estimate.value > 0 else MINUS)


@given(estimates())
def test_turning_the_scale_round_turns_the_direction_round(estimate: Estimate) -> None:
    words = {direction(estimate, "higher"), direction(estimate, "lower")}
    assert words in ({"not decided"}, {"better", "worse"})


def test_no_hyphen_stands_for_a_minus_sign() -> None:
    estimate = Estimate(value=-0.5, low=-0.9, high=-0.1, n=9)
    assert "-" not in value_text(estimate) + interval_text(estimate) + difference_text(estimate) + amount_text(-2, "s")


def test_two_shares_and_their_difference_can_be_checked_by_eye() -> None:
    baseline = Estimate(value=0.855, low=0.8, high=0.897, n=200, unit="share")
    candidate = Estimate(value=0.73, low=0.665, high=0.787, n=200, unit="share")
    change = Estimate(value=-0.125, low=-0.176, high=-0.074, n=200, unit="share")
    assert [value_text(baseline), value_text(candidate), difference_text(change)] == [
        "85.5 %",
        "73.0 %",
        "−12.5 points",
    ]


def test_a_unit_of_ones_own_is_written_after_the_number() -> None:
    assert value_text(Estimate(value=3.0, low=2.0, high=4.0, n=9, unit="stars")) == "3.0 stars"


def test_missing_is_not_zero() -> None:
    missing = Estimate(value=None, n=0, reason="no pair")
    assert value_text(missing) == difference_text(missing) == amount_text(None, "share") == NO_NUMBER
    assert interval_text(missing) == ""
    assert direction(missing, "higher") == "not decided"
