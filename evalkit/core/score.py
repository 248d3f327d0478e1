"""What a scorer said of a response: a value, a label, or a failure with blame."""

from pydantic import model_validator

from evalkit.core.failure import Failure
from evalkit.core.noun import Noun
from evalkit.core.request import Key


class Score(Noun):
    """Exactly one of value, label and failure. Readers take the last line for the current digests."""

    key: Key
    scorer: str
    """The scorer's name in the task; `judge:NAME` or `judge:NAME/criterion` for judges."""
    scorer_digest: str
    response_digests: tuple[str, ...] = ()
    value: float | None = None
    label: str | None = None
    reason: str = ""
    """Why, in words: the judge's rationale, or what a rule found. Untrusted text."""
    unit: str = ""
    """`share` (0 to 1), `tokens`, `usd`, `s`, or the scale's own unit ("")."""
    failure: Failure | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Score":
        if (self.value is not None) + (self.label is not None) + (self.failure is not None) != 1:
            raise ValueError("a score holds exactly one of value, label and failure")
        return self
