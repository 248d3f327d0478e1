"""What a scorer is, and the score it gives a response that failed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of
from evalkit.core.errors import Place
from evalkit.core.failure import Failure
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import ScorerSpec, Task


@dataclass(frozen=True)
class ScorerContext:
    """What a scorer may need beside its spec."""

    task: Task
    candidate: Candidate
    system: str
    """The name under which labels and recorded verdicts know the candidate's answers."""
    suite_folder: Path
    data_folders: tuple[Path, ...] = ()
    place: Place | None = None
    """Where the task names the scorer, for errors."""


class Scorer(Protocol):
    """Scores one response. Made by its class from (spec, context); wrong options raise InputError there.

    `score` never raises for what a model wrote; it returns a Score with a value, a label or a Failure.
    """

    name: str
    digest: str
    """Changes with the scorer's version, options and files: older scores are then out of date."""
    unit: str
    """Unit of its values: `share`, `tokens`, `usd`, `s`; "" for labels or a scale of its own."""
    labels: tuple[str, ...]
    """The labels it can give; empty when it gives values (or open labels)."""

    def score(self, sample: Sample, response: Response) -> Score:
        """The score of one response."""
        ...


def scorer_digest(spec: ScorerSpec, version: int, **files: str) -> str:
    """Digest of a scorer: its name, its version in this package, its options and the digests of its files."""
    return digest_of({"scorer": spec.scorer, "version": version, "options": spec.options, "files": files})


def failed_score(scorer: Scorer, response: Response, failure: Failure) -> Score:
    """The score that holds a failure: of the response itself, or of the scoring."""
    return Score(
        key=response.key,
        scorer=scorer.name,
        scorer_digest=scorer.digest,
        response_digests=(response.digest,),
        unit=scorer.unit,
        failure=failure,
    )
