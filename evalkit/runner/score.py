"""What a scorer that needs no model says of one response: rules, recorded verdicts, labels."""

from typing import Protocol

from evalkit.core.failure import Failure
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score


class PassScorer(Protocol):
    """What a pass needs of a scorer; rule scorers and recorded judges both have it."""

    name: str
    digest: str
    unit: str
    labels: tuple[str, ...]

    def score(self, sample: Sample, response: Response) -> Score:
        """The score of one response."""
        ...


def score_one(scorer: PassScorer, sample: Sample, response: Response) -> Score:
    """One score. A response without an answer through the system's fault has no score through the system's fault."""
    if response.failure is not None and response.failure.blame == "system":
        failure = Failure(
            blame="system", stage="generate", kind=response.failure.kind, message=response.failure.message
        )
        return Score(
            key=response.key,
            scorer=scorer.name,
            scorer_digest=scorer.digest,
            response_digests=(response.digest,),
            failure=failure,
        )
    return scorer.score(sample, response)
