"""What the transformers engine's thread is asked, and what it hands back, as plain data."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DecodeAsk:
    """One prompt and how to go on from it."""

    prompt: list[int]
    """Token ids."""
    max_tokens: int
    temperature: float
    """0 = the likeliest token each time."""
    top_p: float
    seed: int | None
    """None = another draw each time."""
    stop: tuple[str, ...] = ()
    """The text ends before the first of these that appears."""
    label_of: dict[int, str] = field(default_factory=dict)
    """Token -> label; not {} = the one next token is drawn from these alone."""


@dataclass(frozen=True)
class Decoded:
    """One finished answer. Times are on the monotonic clock."""

    text: str
    output_tokens: int
    """Including the one that ended it."""
    finish_reason: str
    """`stop`, or `length` when the tokens ran out."""
    stop_reason: str | None
    """The stop text that ended it; None = the model itself did, or the tokens ran out."""
    label_logprobs: dict[str, float] | None
    """Natural log-probability of each label's token among all tokens."""
    began_at_s: float
    first_token_at_s: float
    ended_at_s: float
