"""The scoring pass: every response through every rule scorer and recorded judge of its task; scores.jsonl out."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from evalkit.core.failure import Failure
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.runner.answers import iter_answers
from evalkit.runner.progress import Progress
from evalkit.store.index import index_scores
from evalkit.store.keys import score_key_digest
from evalkit.store.records import RecordWriter
from evalkit.store.rundir import RunDirectory


class PassScorer(Protocol):
    """What the pass needs of a scorer; rule scorers and recorded judges both have it."""

    name: str
    digest: str
    unit: str
    labels: tuple[str, ...]

    def score(self, sample: Sample, response: Response) -> Score:
        """The score of one response."""
        ...


def score_responses(
    directory: RunDirectory,
    scorers: Mapping[str, Sequence[PassScorer]],
    total: int,
    progress: Progress,
    *,
    answered_only: bool = False,
) -> None:
    """Append the scores that are not on file yet. `scorers`: task -> its scorers.

    answered_only: leave out what has no answer yet through the system's fault, of a run that is still to get some.
    """
    held = index_scores(directory.scores)
    progress.begin("scores", total)
    with RecordWriter(directory.scores) as writer:
        for answer in iter_answers(directory):
            failure = answer.response.failure
            if answered_only and failure is not None and failure.blame == "system":
                continue
            for scorer in scorers[answer.task]:
                about = score_key_digest(answer.response.key, scorer.name, scorer.digest, (answer.response.digest,))
                if about not in held:
                    writer.append(score_one(scorer, answer.sample, answer.response))
            progress.advance(failed=answer.response.failure is not None)
    progress.end()


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
