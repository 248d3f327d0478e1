"""Multiple choice: which option an answer chooses, against the target (how it is found: choice_reading.py).

    sample.choices ("Rome", "Paris"), target ("B",) or ("Paris",)     answer "Réponse : (b)"     1

Choosing several options, or none, is the candidate's failure: it did not keep the form that was asked for.
"""

from typing import Literal

from pydantic import Field

from evalkit.core.noun import Noun
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.scorers.choice_marks import letter_marks
from evalkit.scorers.choice_reading import ChoiceReader, Reading
from evalkit.scorers.normal_form import visible
from evalkit.scorers.rule import Found, RuleScorer, candidate_failure, no_target, quoted

FEWEST = 5
"""Options assumed when a sample does not list its choices and its target names none beyond E."""


class ChoiceOptions(Noun):
    """Options of `choice`."""

    marks: tuple[str, ...] = Field(default=(), max_length=100)
    """The marks as the prompt writes them, in order, instead of the alphabets known here."""
    target_counts_from: Literal[0, 1] = 1
    """Where a target that is a number starts counting: many datasets count from 0."""


class Choice(RuleScorer[ChoiceOptions]):
    """1 when the answer chooses the target's option, 0 when it chooses another."""

    options_type = ChoiceOptions

    def find(self, sample: Sample, response: Response) -> Found:
        """Compares positions; several targets are several right options."""
        reader = self._reader(sample)
        wanted = {position for target in sample.target if (position := self._position(target, reader)) is not None}
        if not wanted:
            expected = "an option's mark (A, B, ...) or its text"
            if sample.target:
                expected += "; if it counts from 0, say `target_counts_from: 0`"
            return no_target(sample, expected)
        reading = reader.read(response.text)
        if len(reading.positions) != 1:
            return _unchosen(reading, response)
        chosen = reading.positions[0]
        return Found(value=float(chosen in wanted), reason=f"chose {_name(chosen, sample)} ({reading.how})")

    def _reader(self, sample: Sample) -> ChoiceReader:
        if self.options.marks:
            marks = {visible(mark, "NFKC").strip(): position for position, mark in enumerate(self.options.marks)}
            return ChoiceReader(sample.choices, marks)
        return ChoiceReader(sample.choices, letter_marks(len(sample.choices) or _size_from(sample.target)))

    def _position(self, target: str, reader: ChoiceReader) -> int | None:
        """Where a target stands: an option's text, a mark, or anything an answer could be ("B) Paris")."""
        position = reader.position_of_text(target)
        if position is not None:
            return position
        plain = visible(target, "NFKC").strip()
        if plain.isdecimal() and self.options.target_counts_from == 0:
            plain = str(int(plain) + 1)
        position = reader.position_of(plain)
        if position is not None or plain.isdecimal():
            return position
        reading = reader.read(target)
        return reading.positions[0] if len(reading.positions) == 1 else None


def _size_from(targets: tuple[str, ...]) -> int:
    """How many options there must be at least, when the sample does not list them."""
    known = letter_marks(26)
    return max([FEWEST, *(known.get(visible(target, "NFKC").strip().upper(), 0) + 1 for target in targets)])


def _unchosen(reading: Reading, response: Response) -> Found:
    if not reading.positions:
        return candidate_failure("no_choice", f"no option is chosen in {quoted(response.text)}")
    letters = ", ".join(chr(ord("A") + position) for position in reading.positions[:26])
    return candidate_failure("ambiguous_choice", f"options {letters} are all chosen in {quoted(response.text)}")


def _name(position: int, sample: Sample) -> str:
    letter = chr(ord("A") + position) if position < 26 else str(position + 1)
    return f"{letter} {quoted(sample.choices[position])}" if position < len(sample.choices) else letter
