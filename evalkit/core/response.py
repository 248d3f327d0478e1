"""What came back for a request."""

from functools import cached_property
from typing import Any

from evalkit.core.digest import digest_of
from evalkit.core.failure import Failure
from evalkit.core.noun import Noun
from evalkit.core.request import JudgeKey, Key


class Usage(Noun):
    """Tokens, as the engine counted them; None = not told."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class Timing(Noun):
    """Offsets in seconds on one monotonic clock; None = cannot be measured, never 0."""

    scheduled_s: float | None = None
    sent_s: float | None = None
    queued_s: float | None = None
    ttft_s: float | None = None
    """From sending to the first token; only when streamed."""
    e2e_s: float | None = None
    """From sending to the last byte."""
    chunk_s: tuple[float, ...] | None = None


class Response(Noun):
    """An answer, or the failure that stands in its place."""

    request_digest: str
    key: Key
    judge_key: JudgeKey | None = None
    text: str = ""
    reasoning: str | None = None
    """What a thinking model thought; never scored as the answer."""
    tool_calls: tuple[dict[str, Any], ...] = ()
    label_logprobs: dict[str, float] | None = None
    """Natural log-probability of each label of the answer form, when asked for."""
    token_logprobs: tuple[float, ...] | None = None
    prompt_token_ids: tuple[int, ...] | None = None
    finish_reason: str | None = None
    """`stop`, `length`, `tool_calls`, ... as the engine says."""
    stop_reason: str | None = None
    served_model: str | None = None
    fingerprint: str | None = None
    usage: Usage = Usage()
    timing: Timing = Timing()
    steps: tuple[str, ...] = ()
    """Digests of an episode's requests."""
    failure: Failure | None = None
    from_cache: bool = False
    """Whether it was given to an earlier run; it then has no timing."""

    @cached_property
    def digest(self) -> str:
        """Digest of what was said (not of when or how fast): what labels and verdicts refer to."""
        failure = self.failure and [self.failure.blame, self.failure.kind]
        return digest_of([self.request_digest, self.text, self.reasoning, list(self.tool_calls), failure])
