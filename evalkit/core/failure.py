"""A failure stands where an answer or a score would stand, and says whose it is."""

from typing import Literal

from evalkit.core.noun import Noun

Blame = Literal["candidate", "judge", "system", "user"]


class Failure(Noun):
    """Why there is no answer, verdict or value.

    blame  candidate: counts in the metric as the task says. judge: missing; makes a gate inconclusive above
           `max_missing`. system: missing; asked again on resume; makes a gate invalid above `max_missing`.
    """

    blame: Blame
    stage: Literal["generate", "judge", "read", "score"]
    kind: str
    """A short name to count by: `timeout`, `http_500`, `ran_out_of_tokens`, `no_verdict`, ..."""
    message: str = ""
    """What happened, in words; never contains a key or a header."""
