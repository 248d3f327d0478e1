"""What rule-based scorers share: checked options, a digest, and what becomes of a response that failed.

A rule says only what it found:

    class Exact(RuleScorer[ExactOptions]):
        def find(self, sample, response):
            return Found(value=1.0, reason='equals "Paris"')
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import ValidationError

from evalkit.core.errors import InputError, unknown_name
from evalkit.core.failure import Failure
from evalkit.core.noun import Noun
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import ScorerSpec
from evalkit.scorers.base import ScorerContext, failed_score, scorer_digest

Options = TypeVar("Options", bound=Noun)

REASON_LENGTH = 300
"""Characters of untrusted text kept in a reason: enough to see why, little enough to list thousands."""


class NoOptions(Noun):
    """For a scorer that takes none."""


@dataclass(frozen=True)
class Found:
    """What a rule found in one response: exactly one of value, label and failure, and why."""

    value: float | None = None
    label: str | None = None
    failure: Failure | None = None
    reason: str = ""


class RuleScorer(ABC, Generic[Options]):
    """A scorer whose answer is computed from the response. Subclasses name their options and say what they find."""

    options_type: type[Options]
    version: ClassVar[int] = 1
    """Raised when the rule changes: older scores are then out of date."""
    unit: str = "share"
    labels: tuple[str, ...] = ()

    def __init__(self, spec: ScorerSpec, context: ScorerContext):
        self.name = spec.name
        self.context = context
        self.options = read_options(self.options_type, spec, context)
        self.digest = scorer_digest(spec, self.version)

    def score(self, sample: Sample, response: Response) -> Score:
        """The score of one response; a response that failed passes its failure on."""
        if response.failure is not None:
            return failed_score(self, response, response.failure)
        return self.as_score(response, self.find(sample, response))

    @abstractmethod
    def find(self, sample: Sample, response: Response) -> Found:
        """What the rule finds in a response that did not fail. Never raises for what a model wrote."""

    def as_score(self, response: Response, found: Found) -> Score:
        """What was found, as a score of this scorer."""
        return Score(
            key=response.key,
            scorer=self.name,
            scorer_digest=self.digest,
            response_digests=(response.digest,),
            value=found.value,
            label=found.label,
            failure=found.failure,
            reason=found.reason,
            unit=self.unit,
        )


def read_options(options_type: type[Options], spec: ScorerSpec, context: ScorerContext) -> Options:
    """A scorer's options, checked. Raises InputError for an unknown, missing or wrong one, at the scorer's place."""
    known = options_type.model_fields
    for name in spec.options:
        if name not in known:
            hint = "" if known else "It takes no options."
            raise unknown_name(f'option of scorer "{spec.scorer}"', name, known, context.place, hint)
    try:
        return options_type.model_validate(spec.options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise InputError(f'scorer "{spec.name}" needs the option `{option}`', context.place) from error
        wrong = f" (it is {first['input']!r})" if option else ""
        raise InputError(
            f'scorer "{spec.name}", option `{option}`: {_words(first["msg"])}{wrong}', context.place
        ) from error


def candidate_failure(kind: str, message: str) -> Found:
    """The answer does not have the form that was asked for."""
    return Found(failure=Failure(blame="candidate", stage="score", kind=kind, message=message))


def system_failure(kind: str, message: str) -> Found:
    """Nothing can be said of the answer, and it is not the answer's fault."""
    return Found(failure=Failure(blame="system", stage="score", kind=kind, message=message))


def no_target(sample: Sample, expected: str) -> Found:
    """The sample has nothing (usable) to compare with."""
    given = f"its target is {quoted(' | '.join(sample.target))}" if sample.target else "it has no target"
    return system_failure("no_target", f"sample {sample.id}: {given}, expected {expected}. Mend the task's data.")


def quoted(text: str, length: int = REASON_LENGTH) -> str:
    """Text in quotes, on one line, cut in the middle when long: both ends of an answer say something.

    >>> quoted("a\\nb"), quoted("0123456789", 7)
    ('"a b"', '"012 ... 789"')
    """
    line = " ".join(text.split())
    if len(line) > length:
        half = length // 2
        line = f"{line[:half]} ... {line[-half:]}"
    return f'"{line}"'


def _words(message: str) -> str:
    """The message of pydantic without its prefix and capital."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
