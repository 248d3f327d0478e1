from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.candidate import Price
from evalkit.core.errors import InputError
from evalkit.core.response import Response, Usage
from evalkit.core.score import Score
from tests.scorers.making import RAN_OUT, SYSTEM_FAILURE, make_context, make_response, make_sample, make_scorer

TODAY = date(2026, 11, 1)
BY_TOKENS = Price(usd_per_million_input=3.0, usd_per_million_cached=0.3, usd_per_million_output=15.0, as_of=TODAY)
USED = Usage(prompt_tokens=1200, cached_tokens=1000, output_tokens=300)


def cost_of(response: Response, price: Price) -> Score:
    return make_scorer("cost", make_context(price=price)).score(make_sample(), response)


def test_output_tokens_are_counted_as_reported() -> None:
    score = make_scorer("output_tokens").score(make_sample(), make_response(usage=USED))
    assert (score.value, score.unit) == (300.0, "tokens")


def test_tokens_that_were_not_reported_are_missing_not_zero() -> None:
    score = make_scorer("output_tokens").score(make_sample(), make_response())
    assert score.value is None
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("system", "tokens_not_reported")


def test_cost_adds_input_cached_and_output() -> None:
    score = cost_of(make_response(usage=USED), BY_TOKENS)
    assert score.value == pytest.approx((200 * 3 + 1000 * 0.3 + 300 * 15) / 1e6)
    assert score.unit == "usd"


def test_without_a_rate_for_cached_tokens_all_input_costs_alike() -> None:
    price = Price(usd_per_million_input=3.0, usd_per_million_output=15.0, as_of=TODAY)
    assert cost_of(make_response(usage=USED), price).value == pytest.approx((1200 * 3 + 300 * 15) / 1e6)


@pytest.mark.parametrize(
    ("usage", "kind"),
    [
        (Usage(), "tokens_not_reported"),
        (Usage(output_tokens=3), "tokens_not_reported"),
        (Usage(prompt_tokens=3), "tokens_not_reported"),
        (Usage(prompt_tokens=3, output_tokens=3), "cached_tokens_not_reported"),
    ],
)
def test_unknown_use_is_the_systems_failure(usage: Usage, kind: str) -> None:
    score = cost_of(make_response(usage=usage), BY_TOKENS)
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("system", kind)


def test_time_on_a_gpu_costs_by_the_second() -> None:
    price = Price(usd_per_gpu_hour=3.6, as_of=TODAY)
    assert cost_of(make_response(e2e_s=2.0), price).value == pytest.approx(0.002)
    failure = cost_of(make_response(), price).failure
    assert failure is not None
    assert failure.kind == "time_not_measured"


def test_an_answer_that_ran_out_of_tokens_was_paid_for() -> None:
    assert cost_of(make_response(usage=USED, failure=RAN_OUT), BY_TOKENS).value is not None
    assert cost_of(make_response(failure=SYSTEM_FAILURE), BY_TOKENS).failure == SYSTEM_FAILURE


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (None, 'candidate "new" has no price'),
        (Price(usd_per_million_input=1.0, as_of=TODAY), "has no usd_per_million_output"),
        (Price(as_of=TODAY), "has no usd_per_million_input and no usd_per_million_output"),
        (Price(usd_per_million_input=1.0, usd_per_gpu_hour=1.0, as_of=TODAY), "priced by tokens and by GPU hours"),
    ],
)
def test_a_price_that_does_not_do_is_refused_with_the_line_to_add(price: Price | None, said: str) -> None:
    with pytest.raises(InputError) as caught:
        make_scorer("cost", make_context(price=price))
    assert said in str(caught.value)
    if price is None:
        assert "`price: {usd_per_million_input: ..., usd_per_million_output: ..., as_of: YYYY-MM-DD}`" in str(
            caught.value
        )


def test_a_corrected_price_makes_older_costs_out_of_date() -> None:
    dearer = BY_TOKENS.model_copy(update={"usd_per_million_output": 16.0})
    assert (
        make_scorer("cost", make_context(price=BY_TOKENS)).digest
        != make_scorer("cost", make_context(price=dearer)).digest
    )


def test_usage_scorers_take_no_options() -> None:
    with pytest.raises(InputError, match="It takes no options"):
        make_scorer("output_tokens", per="sample")


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_cost_is_never_negative_and_grows_with_output(prompt: int, cached: int, output: int) -> None:
    def value(tokens: int) -> float:
        used = Usage(prompt_tokens=prompt, cached_tokens=cached, output_tokens=tokens)
        found = cost_of(make_response(usage=used), BY_TOKENS).value
        assert found is not None
        return found

    assert 0 <= value(output) < value(output + 1)
