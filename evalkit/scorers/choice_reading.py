"""Find which option an answer chooses. Ways of saying it are tried from the plainest to the vaguest; the first that
finds anything decides, and when it finds several options the answer has not chosen.

1. whole       the whole answer is a mark or an option's text      "B"  "(b)"  "Ｂ"  "ب"  "Paris."
2. final       a boxed or declared final answer                    "\\boxed{B}"  "Final answer: B"
3. statement   "answer" and a mark or an option, or "is correct"   "Answer: B"  "答案是B"  "B is correct"
4. option      "option" and a mark                                 "I would take option B"
5. mark        a mark in brackets, in bold or opening a line       "I think (B)."  "B) Paris"
6. bare mark   a capital or uncased mark on its own                "It must be B"
7. text        an option's text anywhere                           "That would be Paris"
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]  # ships no types

from evalkit.scorers.choice_patterns import choice_patterns
from evalkit.scorers.normal_form import normal_form, visible
from evalkit.scorers.words import all_words

_TEXT_COMMAND = regex.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")

_STATEMENT_LENGTH = 400
"""Characters behind "the answer is" in which an option's text is looked for."""


@dataclass(frozen=True)
class Reading:
    """The options an answer chooses (positions from 0: one, or it has not chosen), and how that was found."""

    positions: tuple[int, ...]
    how: str


class ChoiceReader:
    """Reads answers to one question."""

    def __init__(self, options: tuple[str, ...], marks: Mapping[str, int]):
        """options: texts in order, () when they are not known; marks: letter -> position."""
        self._texts = [_text_form(option) for option in options]
        self._marks = marks
        # "Answer: 3" means the option whose text is 3, where options are numbers.
        self._counts = not any(text.isdecimal() for text in self._texts)
        self._patterns = choice_patterns(tuple(marks))
        self._size = max(marks.values()) + 1

    def read(self, text: str) -> Reading:
        """What the answer chooses. Never raises for what is in it."""
        text = _TEXT_COMMAND.sub(r"\1", visible(text, "NFKC"))
        ways: tuple[tuple[str, Callable[[str], set[int]]], ...] = (
            ("whole answer", self._whole),
            ("final answer", self._final),
            ("statement", self._stated),
            ("option", lambda answer: self._after("option", answer)),
            ("mark", lambda answer: self._captured("marked", answer)),
            ("bare mark", lambda answer: self._captured("bare", answer)),
            ("text", self._mentioned),
        )
        for how, find in ways:
            positions = find(text)
            if positions:
                return Reading(tuple(sorted(positions)), how)
        return Reading((), "")

    def position_of(self, mark: str) -> int | None:
        """The option a mark stands for: a letter in either case, or a number counted from 1."""
        for letter in (mark, mark.upper()):
            if letter in self._marks:
                return self._marks[letter]
        if self._counts and mark.isdecimal() and 1 <= int(mark) <= self._size:
            return int(mark) - 1
        return None

    def position_of_text(self, text: str) -> int | None:
        """The option with this text; None when there is none, or two that differ only in form."""
        form = _text_form(text)
        same = [position for position, option in enumerate(self._texts) if option == form]
        return same[0] if len(same) == 1 else None

    def _whole(self, text: str) -> set[int]:
        position = self.position_of_text(text)
        if position is not None:
            return {position}
        match = self._patterns["whole"].fullmatch(text.strip())
        return self._positions(match.captures("mark")) if match else set()

    def _final(self, text: str) -> set[int]:
        for content in reversed(self._patterns["boxed"].findall(text)):  # earlier boxes hold steps
            found = self._whole(content)
            if found:
                return found
        return self._after("final", text)

    def _stated(self, text: str) -> set[int]:
        return self._after("answer", text) | self._captured("right", text)

    def _after(self, words: str, text: str) -> set[int]:
        """Choices behind words such as "the answer is": marks, or else the option whose text begins there."""
        found: set[int] = set()
        for match in self._patterns[words].finditer(text):
            stated = self._patterns["stated"].match(text, match.end())
            if stated:
                found |= self._positions(stated.captures("mark"))
            else:
                found |= self._leading_text(text[match.end() : match.end() + _STATEMENT_LENGTH])
        return found

    def _leading_text(self, rest: str) -> set[int]:
        """The option whose text begins here, the longest of them; else any that stand in this line."""
        line = normal_form(rest.lstrip().partition("\n")[0], form="NFKC")
        leading = [
            (len(option), position)
            for position, option in enumerate(self._texts)
            if option and any(start == 0 for start, _ in all_words(option, line))
        ]
        return {max(leading)[1]} if leading else self._mentioned(line)

    def _mentioned(self, text: str) -> set[int]:
        """Options whose text stands in the answer; one inside another's text ("York" in "New York") does not count."""
        form = normal_form(text, form="NFKC", ignore_punctuation=False)
        spans = [
            (start, end, position)
            for position, option in enumerate(self._texts)
            if option
            for start, end in all_words(option, form)
        ]
        return {
            position
            for start, end, position in spans
            if not any(a <= start and end <= b and b - a > end - start for a, b, _ in spans)
        }

    def _captured(self, name: str, text: str) -> set[int]:
        return self._positions(mark for match in self._patterns[name].finditer(text) for mark in match.captures("mark"))

    def _positions(self, marks: Iterable[str]) -> set[int]:
        return {position for mark in marks if (position := self.position_of(mark)) is not None}


def _text_form(text: str) -> str:
    return normal_form(text, form="NFKC")
