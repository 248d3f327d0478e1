"""From a judge's replies to one finding: read each vote, then count votes or weigh the probabilities of labels.

    3 votes  full, full, partial                    ->  full (2 of 3 votes)
    1 vote   ln p: none -2.3, partial -1.2, full -0.5   ->  1.57 on an ordinal scale (labels count 0, 1, 2), else full

More than half of the votes must be readable; otherwise the failure of the votes that are not stands for all.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalkit.core.failure import Failure
from evalkit.core.judge import JudgeSpec
from evalkit.core.response import Response
from evalkit.core.scale import Scale
from evalkit.scorers.rule import Found
from evalkit.scorers.verdict import read_verdict

RATIONALE_LENGTH = 4000
"""Characters of a judge's reply kept as the reason of a score."""


@dataclass(frozen=True)
class Weights:
    """How probable each label of the scale was as the judge's answer."""

    probability: Mapping[str, float]
    """Label -> probability; labels the server did not report are absent. Adds up to the mass."""

    @property
    def mass(self) -> float:
        """Probability that the answer was a label at all."""
        return math.fsum(self.probability.values())


@dataclass(frozen=True)
class Vote:
    """One reply and what it says."""

    said: str | float | Weights | Failure
    reply: str = ""


def read_vote(verdict: Response | None, spec: JudgeSpec) -> Vote:
    """What one reply says. A judge that ran out of tokens has failed as a judge; a server that failed, as a system."""
    if verdict is None:
        return Vote(Failure(blame="system", stage="judge", kind="not_asked", message="the judge was not asked"))
    failure = verdict.failure
    if failure is not None:
        blame = failure.blame if failure.blame == "system" else "judge"
        return Vote(Failure(blame=blame, stage="judge", kind=failure.kind, message=failure.message), verdict.text)
    if verdict.finish_reason == "length":
        message = f"the judge's reply was cut off at {spec.sampling.max_tokens} tokens"
        return Vote(Failure(blame="judge", stage="judge", kind="ran_out_of_tokens", message=message), verdict.text)
    if spec.method == "label_logprobs":
        return Vote(_weights(verdict, spec.scale), verdict.text)
    return Vote(read_verdict(verdict.text, spec.scale), verdict.text)


def count_votes(votes: Sequence[Vote], scale: Scale) -> Found:
    """What the votes come to: the label most of them give, the mean of numbers, or the weight of probabilities."""
    readable = [vote for vote in votes if not isinstance(vote.said, Failure)]
    if 2 * len(readable) <= len(votes):
        return Found(failure=_first_failure(votes), reason=_rationale(votes[0].reply))
    weights = [vote.said for vote in readable if isinstance(vote.said, Weights)]
    if weights:
        return _weighed(weights, scale)
    numbers = [vote.said for vote in readable if isinstance(vote.said, float)]
    if numbers:
        reason = f"mean of {len(numbers)} votes. " if len(votes) > 1 else ""
        return Found(value=math.fsum(numbers) / len(numbers), reason=reason + _rationale(readable[0].reply))
    return _majority(readable, len(votes))


def gives_values(spec: JudgeSpec) -> bool:
    """Whether the judge's scores are numbers and not labels."""
    return spec.scale.kind == "interval" or (spec.method == "label_logprobs" and spec.scale.kind == "ordinal")


def label_values(labels: tuple[str, ...]) -> dict[str, float]:
    """What ordinal labels count as: their own number when all are numbers, else 0, 1, 2, ...

    >>> label_values(("1", "2", "5")), label_values(("none", "partial", "full"))
    ({'1': 1.0, '2': 2.0, '5': 5.0}, {'none': 0.0, 'partial': 1.0, 'full': 2.0})
    """
    try:
        return {label: float(label) for label in labels}
    except ValueError:
        return {label: float(position) for position, label in enumerate(labels)}


def _weights(verdict: Response, scale: Scale) -> Weights | Failure:
    if verdict.label_logprobs is None:
        message = "the engine gave no log-probabilities of the labels (openai_http: `engine_args: {logprobs: true}`)"
        return Failure(blame="system", stage="read", kind="no_label_logprobs", message=message)
    found = {
        label: math.exp(min(0.0, verdict.label_logprobs[label]))
        for label in scale.labels
        if label in verdict.label_logprobs
    }
    if not math.fsum(found.values()):
        return Failure(
            blame="judge", stage="read", kind="no_verdict", message="no label of the scale was at all likely"
        )
    return Weights(found)


def _weighed(weights: Sequence[Weights], scale: Scale) -> Found:
    """Votes weigh alike; within the labels, what lies outside them (1 - mass) is left out."""
    shares = {
        label: math.fsum(each.probability.get(label, 0.0) / each.mass for each in weights) / len(weights)
        for label in scale.labels
    }
    mass = math.fsum(each.mass for each in weights) / len(weights)
    listed = ", ".join(f"{label} {share:.3f}" for label, share in shares.items())
    reason = f"label mass {mass:.3f}; {listed}"
    if scale.kind == "ordinal":
        values = label_values(scale.labels)
        return Found(value=math.fsum(values[label] * share for label, share in shares.items()), reason=reason)
    best = max(shares.values())
    likely = [label for label, share in shares.items() if share == best]
    return Found(label=likely[0], reason=reason) if len(likely) == 1 else _tied(likely, reason)


def _majority(readable: Sequence[Vote], n_votes: int) -> Found:
    if n_votes == 1:
        return Found(label=str(readable[0].said), reason=_rationale(readable[0].reply))
    counts = Counter(str(vote.said) for vote in readable)
    most = max(counts.values())
    leading = [label for label, count in counts.items() if count == most]
    listed = ", ".join(f"{label} {count}" for label, count in counts.most_common())
    if len(leading) > 1:
        return _tied(leading, f"votes: {listed} of {n_votes}")
    rationale = next(vote.reply for vote in readable if vote.said == leading[0])
    votes = f"{most} of {n_votes} votes. " if n_votes > 1 else ""
    return Found(label=leading[0], reason=votes + _rationale(rationale))


def _tied(labels: Sequence[str], reason: str) -> Found:
    message = f"{' and '.join(labels)} have as many votes"
    return Found(failure=Failure(blame="judge", stage="read", kind="tied_votes", message=message), reason=reason)


def _first_failure(votes: Sequence[Vote]) -> Failure:
    """The system's failure first: it is asked again when the run is resumed."""
    failures = [vote.said for vote in votes if isinstance(vote.said, Failure)]
    return next((failure for failure in failures if failure.blame == "system"), failures[0])


def _rationale(reply: str) -> str:
    reply = reply.strip()
    return reply if len(reply) <= RATIONALE_LENGTH else reply[:RATIONALE_LENGTH] + " ..."
