"""What a request costs: tokens times price. A price or a count that is not known gives None, never 0."""

from evalkit.core.candidate import Price
from evalkit.core.request import Request
from evalkit.core.response import Usage

_MILLION = 1_000_000

_TOKENS_AROUND_A_MESSAGE = 16
"""More than any chat template puts around one message."""


def cost_by_tokens(usage: Usage, price: Price) -> float | None:
    """US dollars for one answer; None = the price is not by tokens, or the engine did not say how many there were.

    Cached tokens are among the prompt's (as OpenAI and vLLM count), reasoning tokens among the output's. Without a rate
    for cached tokens all input is priced alike.

    >>> from datetime import date
    >>> price = Price(usd_per_million_input=3, usd_per_million_output=15, as_of=date(2026, 11, 1))
    >>> cost_by_tokens(Usage(prompt_tokens=1000, output_tokens=200), price)
    0.006
    """
    if price.usd_per_million_input is None or price.usd_per_million_output is None:
        return None
    if usage.prompt_tokens is None or usage.output_tokens is None:
        return None
    cached = 0
    if price.usd_per_million_cached is not None:
        if usage.cached_tokens is None:
            return None
        cached = min(usage.cached_tokens, usage.prompt_tokens)
    millionths = (
        (usage.prompt_tokens - cached) * price.usd_per_million_input
        + cached * (price.usd_per_million_cached or 0.0)
        + usage.output_tokens * price.usd_per_million_output
    )
    return millionths / _MILLION


def most_cost_by_tokens(request: Request, price: Price) -> float:
    """US dollars that one answer can cost at most, before it is asked; 0 where the price is not by tokens.

    No tokenizer makes more tokens of a text than it has bytes.
    """
    texts = [message.content for message in request.messages]
    calls = [str(call) for message in request.messages for call in message.tool_calls]
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in [*texts, *calls, *map(str, request.tools)])
    prompt_tokens = size + _TOKENS_AROUND_A_MESSAGE * len(request.messages)
    output_usd = request.sampling.max_tokens * (price.usd_per_million_output or 0.0)
    return (prompt_tokens * (price.usd_per_million_input or 0.0) + output_usd) / _MILLION
