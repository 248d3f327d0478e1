"""A number in the answer equals the target: any script, any usual way to write it (how it is read: numerals.py).

    sample.target ("1234.5",), language "de"     answer "Zusammen sind das 1.234,5 km."      1
    sample.target ("1234",), no language         answer "1,234"      1: the target decides what the language does not

A target is data, so 1.234 may be a program's way to write a decimal: in a target that reading is kept beside the
language's own (German 1.234 is 1234 as well).

A percent sign: 50% equals 0.5, and also a bare 50, since a question may ask for "per cent"; 0.5% does not equal 50%.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from pydantic import Field

from evalkit.core.noun import Noun
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.scorers.numerals import Numeral, find_numerals
from evalkit.scorers.rule import Found, RuleScorer, candidate_failure, no_target, quoted


class NumberOptions(Noun):
    """Options of `number`."""

    which: Literal["last", "first", "only"] = "last"
    """Which number of the answer counts. `only`: an answer with several is the candidate's failure."""
    absolute_tolerance: float = Field(default=0.0, ge=0)
    """Largest difference that still counts as equal; 0 = exactly equal."""
    relative_tolerance: float = Field(default=0.0, ge=0)
    """The same as a share of the target: 0.01 is one per cent of it. The larger of the two tolerances counts."""


class Number(RuleScorer[NumberOptions]):
    """1 when the chosen number of the answer equals any target, else 0; no number is the candidate's failure."""

    options_type = NumberOptions

    def find(self, sample: Sample, response: Response) -> Found:
        """Reads the answer in the sample's language. Of a target with several numbers the last counts."""
        targets = [found[-1] for target in sample.target if (found := _numerals(target, sample, from_data=True))]
        if not targets:
            return no_target(sample, "a number")
        found = _numerals(response.text, sample)
        if not found:
            return candidate_failure("no_number", f"no number in {quoted(response.text)}")
        if self.options.which == "only" and len(found) > 1:
            listed = quoted(", ".join(numeral.text.strip() for numeral in found))
            return candidate_failure("several_numbers", f"{len(found)} numbers where one was asked for: {listed}")
        answer = found[0] if self.options.which == "first" else found[-1]
        right = any(self._equal(answer, target) for target in targets)
        verb = "equals" if right else "does not equal"
        wanted = " or ".join(target.text.strip() for target in targets)
        return Found(value=float(right), reason=f"{quoted(answer.text)} {verb} {quoted(wanted)}")

    def _equal(self, answer: Numeral, target: Numeral) -> bool:
        return any(self._near(left, right) for left, right in _comparable(answer, target))

    def _near(self, answer: Decimal, target: Decimal) -> bool:
        if answer == target:  # exact: a difference would be rounded to 28 digits
            return True
        relative = abs(target) * Decimal(str(self.options.relative_tolerance))
        return abs(answer - target) <= max(Decimal(str(self.options.absolute_tolerance)), relative)


def _numerals(text: str, sample: Sample, *, from_data: bool = False) -> list[Numeral]:
    return list(find_numerals(text, sample.language, from_data=from_data))


def _comparable(answer: Numeral, target: Numeral) -> Iterator[tuple[Decimal, Decimal]]:
    """Pairs of readings on one footing: as written when one sign or none is there, in full when they differ."""
    for left in answer.readings:
        for right in target.readings:
            if answer.scale == target.scale or None in (answer.scale, target.scale):
                yield left, right
            if answer.scale != target.scale:
                yield left * (answer.scale or 1), right * (target.scale or 1)
