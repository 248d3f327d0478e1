"""A model with everything that makes it answer as it does."""

from datetime import date
from typing import Any

from pydantic import Field

from evalkit.core.noun import Noun


class Price(Noun):
    """What tokens or time cost. None = not priced that way; nothing is invented."""

    usd_per_million_input: float | None = Field(default=None, ge=0)
    usd_per_million_cached: float | None = Field(default=None, ge=0)
    """Input tokens served from a prefix cache; None = priced as input."""
    usd_per_million_output: float | None = Field(default=None, ge=0)
    usd_per_gpu_hour: float | None = Field(default=None, ge=0)
    as_of: date
    """The day the price was true."""


class SamplingOverride(Noun):
    """What this candidate changes in a task's sampling; None = as the task says."""

    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0, lt=2**62)


class Candidate(Noun):
    """A model, its prompt and its decoding: a changed prompt or tool is another candidate."""

    name: str
    engine: str
    """A built-in engine or a plugin's: `evalkit list engines`."""
    model: str = ""
    """Path or id, as the engine understands it."""
    revision: str | None = None
    """Pinned revision. A model behind HTTP has an identity only when this is declared."""
    dtype: str | None = None
    engine_args: dict[str, Any] = {}
    """Passed to the engine by name; never holds a secret."""
    system_prompt: str | None = None
    tools: tuple[dict[str, Any], ...] = ()
    chat_template_args: dict[str, Any] = {}
    extra_body: dict[str, Any] = {}
    """Added to each HTTP request's body as it is."""
    sampling: SamplingOverride = SamplingOverride()
    price: Price | None = None
    """None = unknown: a cost scorer then says which line to add."""
