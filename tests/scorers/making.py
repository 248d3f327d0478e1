"""Make the smallest sample, response and scorer that a test needs."""

from pathlib import Path
from typing import Any

from evalkit.core.candidate import Candidate, Price
from evalkit.core.errors import Place
from evalkit.core.failure import Failure
from evalkit.core.request import Key, Sampling
from evalkit.core.response import Response, Timing, Usage
from evalkit.core.sample import Sample
from evalkit.core.suite import DataSource, ScorerSpec, Task
from evalkit.plugins import load
from evalkit.scorers.base import Scorer, ScorerContext

PLACE = Place("suite.yaml", 7, 5)
SYSTEM_FAILURE = Failure(blame="system", stage="generate", kind="http_500")
RAN_OUT = Failure(blame="candidate", stage="generate", kind="ran_out_of_tokens")


def make_context(
    *, system: str = "a", folder: Path = Path("."), price: Price | None = None, attempts: int = 1
) -> ScorerContext:
    """A context of one task, named at suite.yaml:7:5."""
    spec = ScorerSpec(scorer="exact", name="exact")
    sampling = Sampling(attempts=attempts)
    task = Task(name="t", data=DataSource(file="data.jsonl"), scorers=(spec,), sampling=sampling)
    candidate = Candidate(name="new", engine="echo", price=price)
    return ScorerContext(task, candidate, system, folder, place=PLACE)


def make_scorer(name: str, context: ScorerContext | None = None, **options: Any) -> Scorer:
    """A scorer as the runner makes it, from the table of plugins."""
    scorer: Scorer = load("scorers", name)(
        ScorerSpec(scorer=name, name=name, options=options), context or make_context()
    )
    return scorer


def make_sample(*target: str, language: str | None = None, choices: tuple[str, ...] = (), id: str = "s1") -> Sample:
    """A sample that asks "?"."""
    return Sample(id=id, input="?", target=target, language=language, choices=choices)


def make_response(
    text: str = "",
    *,
    sample_id: str = "s1",
    attempt: int = 0,
    usage: Usage | None = None,
    e2e_s: float | None = None,
    failure: Failure | None = None,
) -> Response:
    """An answer of the candidate."""
    return Response(
        request_digest="r",
        key=Key(task="t", sample_id=sample_id, attempt=attempt),
        text=text,
        usage=usage or Usage(),
        timing=Timing(e2e_s=e2e_s),
        failure=failure,
    )


def value_of(scorer: Scorer, sample: Sample, text: str) -> float | str | None:
    """The value, or the kind of the failure."""
    score = scorer.score(sample, make_response(text))
    return score.failure.kind if score.failure else score.value
