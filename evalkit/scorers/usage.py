"""What an answer used: tokens, and money by the candidate's price.

    response.usage  prompt_tokens 1200 (of them 1000 cached), output_tokens 300
    price           3 / 0.3 cached / 15 usd per million   ->   0.0054 usd

What was not reported is the system's failure, never 0. An answer that failed by the candidate's own doing (it ran out
of tokens) was paid for like any other, and is counted.
"""

from evalkit.core.candidate import Price
from evalkit.core.errors import InputError, Place
from evalkit.core.price import cost_by_tokens
from evalkit.core.response import Response, Usage
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import ScorerSpec
from evalkit.scorers.base import ScorerContext, failed_score, scorer_digest
from evalkit.scorers.rule import Found, NoOptions, RuleScorer, system_failure

_SECONDS_PER_HOUR = 3600


class UsageScorer(RuleScorer[NoOptions]):
    """A scorer of what was used, whatever became of the answer."""

    options_type = NoOptions

    def score(self, sample: Sample, response: Response) -> Score:
        """The use of one response. A failure of the system used nothing that is known."""
        if response.failure is not None and response.failure.blame == "system":
            return failed_score(self, response, response.failure)
        return self.as_score(response, self.find(sample, response))


class OutputTokens(UsageScorer):
    """How many tokens the answer has, as the engine counted them, thinking included."""

    unit = "tokens"

    def find(self, sample: Sample, response: Response) -> Found:
        """usage.output_tokens."""
        tokens = response.usage.output_tokens
        if tokens is None:
            return system_failure("tokens_not_reported", "the engine did not report usage.output_tokens")
        return Found(value=float(tokens))


class Cost(UsageScorer):
    """What the answer cost in US dollars, by tokens or by the time of one GPU."""

    unit = "usd"

    def __init__(self, spec: ScorerSpec, context: ScorerContext):
        super().__init__(spec, context)
        self._price = _checked_price(context.candidate.price, context)
        # A corrected price is another scorer: the costs computed with the old one are out of date.
        self.digest = scorer_digest(spec, self.version, price=self._price.model_dump_json())

    def find(self, sample: Sample, response: Response) -> Found:
        """By GPU hours when that is the price, else by tokens."""
        if self._price.usd_per_gpu_hour is not None:
            return _cost_by_time(response, self._price.usd_per_gpu_hour)
        return _cost_by_tokens(response.usage, self._price)


def _cost_by_tokens(usage: Usage, price: Price) -> Found:
    if usage.prompt_tokens is None or usage.output_tokens is None:
        return system_failure("tokens_not_reported", "the engine did not report prompt and output tokens")
    cost_usd = cost_by_tokens(usage, price)
    if cost_usd is None:
        return system_failure(
            "cached_tokens_not_reported",
            "the price has a rate for cached tokens, but the engine did not report how many there were; without "
            "`usd_per_million_cached` all input is priced alike",
        )
    return Found(value=cost_usd)


def _cost_by_time(response: Response, usd_per_gpu_hour: float) -> Found:
    """The request's own time on one GPU: an upper bound where the GPU served others at the same time."""
    seconds = response.timing.e2e_s
    if seconds is None:
        return system_failure("time_not_measured", "the price is per GPU hour, and timing.e2e_s was not measured")
    reason = f"{seconds:.3g} s of one GPU, an upper bound if it served others meanwhile"
    return Found(value=seconds * usd_per_gpu_hour / _SECONDS_PER_HOUR, reason=reason)


def _checked_price(price: Price | None, context: ScorerContext) -> Price:
    """A price one can compute with. Raises InputError with the line to add to the candidate."""
    name, place = context.candidate.name, context.place
    if price is None:
        raise _no_price(f'candidate "{name}" has no price', place)
    by_tokens = (price.usd_per_million_input, price.usd_per_million_output)
    if price.usd_per_gpu_hour is not None:
        if by_tokens != (None, None):
            raise InputError(
                f'candidate "{name}" is priced by tokens and by GPU hours. Keep one of them in its YAML', place
            )
        return price
    missing = [
        field
        for field, value in zip(("usd_per_million_input", "usd_per_million_output"), by_tokens, strict=True)
        if value is None
    ]
    if missing:
        raise _no_price(f'the price of candidate "{name}" has no {" and no ".join(missing)}', place)
    return price


def _no_price(what: str, place: Place | None) -> InputError:
    line = "price: {usd_per_million_input: ..., usd_per_million_output: ..., as_of: YYYY-MM-DD}"
    return InputError(
        f"{what}, which the scorer `cost` needs. Add to the candidate's YAML: `{line}`, or `usd_per_gpu_hour` in place "
        "of the two (the run must then measure timing)",
        place,
    )
