"""Compare an answer with its target as text: the same, containing it, or matching a pattern.

    sample.target ("Paris",)    answer "**paris.**"            exact 1
                                answer "It is Paris, I think"  includes 1

Numbers and options of a choice have scorers of their own (number.py, choice.py).
"""

from pydantic import Field

from evalkit.core.noun import Noun
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.suite import ScorerSpec
from evalkit.scorers.base import ScorerContext
from evalkit.scorers.normal_form import UnicodeForm, normal_form, visible
from evalkit.scorers.patterns import PatternTimeout, compile_pattern, matches, timeout_failure
from evalkit.scorers.rule import Found, RuleScorer, no_target, quoted
from evalkit.scorers.words import find_words


class ExactOptions(Noun):
    """Options of `exact`."""

    ignore_case: bool = True
    ignore_punctuation: bool = True
    """Around the text, never within it; a sign before a digit and `%`, `#`, `&`, `@`, `/` are no punctuation."""
    normalise: UnicodeForm = "NFC"
    """NFKC: full-width letters and digits, ligatures and superscripts count as the plain ones."""


class IncludesOptions(ExactOptions):
    """Options of `includes`."""

    whole_words: bool = True
    """A target is found on word boundaries, in scripts that have them. false: anywhere."""


class PatternOptions(Noun):
    """Options of `pattern`."""

    pattern: str = Field(min_length=1)
    """A regular expression of the `regex` package."""
    full: bool = False
    """The whole answer (without white space around it) must match."""
    absent: bool = False
    """The score is 1 when the pattern does *not* match."""
    ignore_case: bool = False


class Exact(RuleScorer[ExactOptions]):
    """1 when the answer equals any target, else 0."""

    options_type = ExactOptions

    def find(self, sample: Sample, response: Response) -> Found:
        """Compares in the normal form of the options."""
        if not sample.target:
            return no_target(sample, "a text")
        answer = _in_form(response.text, self.options, sample.language)
        for target in sample.target:
            if answer == _in_form(target, self.options, sample.language):
                return Found(value=1.0, reason=f"equals {quoted(target)}")
        return Found(value=0.0, reason=f"{quoted(response.text)} equals none of {quoted(' | '.join(sample.target))}")


class Includes(RuleScorer[IncludesOptions]):
    """1 when the answer contains any target, else 0."""

    options_type = IncludesOptions

    def find(self, sample: Sample, response: Response) -> Found:
        """Looks for each target in turn; an empty target is in no answer."""
        targets = [(target, _in_form(target, self.options, sample.language)) for target in sample.target]
        if not any(wanted for _, wanted in targets):
            return no_target(sample, "a text")
        answer = _in_form(response.text, self.options, sample.language, keep_punctuation=True)
        for target, wanted in targets:
            if wanted and find_words(wanted, answer, whole=self.options.whole_words) is not None:
                return Found(value=1.0, reason=f"contains {quoted(target)}")
        return Found(value=0.0, reason=f"contains none of {quoted(' | '.join(sample.target))}")


class Pattern(RuleScorer[PatternOptions]):
    """1 when the answer matches (or, with `absent`, does not match), else 0."""

    options_type = PatternOptions

    def __init__(self, spec: ScorerSpec, context: ScorerContext):
        super().__init__(spec, context)
        self.pattern = compile_pattern(
            self.options.pattern, ignore_case=self.options.ignore_case, scorer=spec.name, place=context.place
        )

    def find(self, sample: Sample, response: Response) -> Found:
        """Matches the answer in Unicode NFC."""
        text = visible(response.text)
        try:
            match = matches(self.pattern, text.strip() if self.options.full else text, full=self.options.full)
        except PatternTimeout:
            return Found(failure=timeout_failure(self.pattern))
        reason = "no match" if match is None else f"matches {quoted(match.group())}"
        return Found(value=float((match is None) == self.options.absent), reason=reason)


def _in_form(text: str, options: ExactOptions, language: str | None, *, keep_punctuation: bool = False) -> str:
    return normal_form(
        text,
        form=options.normalise,
        ignore_case=options.ignore_case,
        ignore_punctuation=options.ignore_punctuation and not keep_punctuation,
        language=language,
    )
