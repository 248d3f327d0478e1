"""The regular expressions that find marks of options: on their own, in brackets, and behind words like "the answer is".

A mark stands on its own when no letter of its own script touches it: B does in "是B吧" and "B입니다", not in "Bonn".
"""

from collections.abc import Iterable
from functools import lru_cache

import regex  # type: ignore[import-untyped]  # ships no types

from evalkit.scorers.choice_marks import IS_RIGHT, JOINS, LINKS, SAYS_ANSWER, SAYS_FINAL, SAYS_OPTION, WORD_LETTERS

# fmt: off
_SCRIPTS = (
    "Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Devanagari", "Bengali", "Gurmukhi",
    "Gujarati", "Tamil", "Telugu", "Kannada", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan", "Ethiopic", "Han", "Hangul",
    "Katakana",
)
# fmt: on
_QUOTES = r"""\s"'“”„«»‘’「」*_`~"""
_AROUND = rf"[{_QUOTES}()（）\[\]【】{{}}<>.:,;。]*+"
_GAP = rf"[{_QUOTES}:=\-–—→>(\[{{（【]*+"
_CLOSED = rf"(?=[{_QUOTES}]*(?:[).:;,，、。）\]】}}]|$))"
_NUMBER = r"(?<![\d.,/])\d{1,2}(?![\d%/]|[.,]\d)"
# Not "A city ..." or "Y la ...": a word in capitals only because a sentence begins there.
_NO_WORD = r"(?!\s+(?!(?:is|ist|est|es|é|è|jest|or|and|und|oder|ou|because|since)\b)\p{Ll})"
# Endings that Korean puts right behind a mark.
_HANGUL_ENDINGS = "입니다|이다|이에요|예요|번"


@lru_cache(maxsize=256)
def choice_patterns(marks: tuple[str, ...]) -> dict[str, regex.Pattern[str]]:
    """The patterns for a set of marks, by what they find. Each names what it found `mark`, several times perhaps."""
    free, tied = _marks(marks, left=True), _marks(marks, left=False)
    # A small letter or a number is a word or a quantity as often as a mark: something must close it.
    small = f"(?:{_any(mark.lower() for mark in marks if mark.lower() != mark)}|{_NUMBER}){_CLOSED}"
    letter = _any(mark.lower() for mark in marks if mark.lower() != mark)
    stated = rf"(?P<mark>{tied}|{small})"
    joins = rf"(?:\s*(?:[,/;&+、،]|(?i:{_any(JOINS)}))+{_GAP}{stated})*"
    links = rf"(?:(?i:{_any(LINKS)})(?![\p{{Ll}}\p{{M}}]){_GAP})*"
    left = r"(?<![\p{Latin}\p{Cyrillic}\p{Greek}])"
    bodies = {
        "whole": rf"{_AROUND}(?P<mark>{tied}|{letter}|{_NUMBER}){_AROUND}",
        "boxed": r"\\boxed\s*\{([^{}]*)\}",
        "final": rf"{left}(?i:{_any(SAYS_FINAL)}){_GAP}{links}",
        "answer": rf"{left}(?i:{_any(SAYS_ANSWER)}){_GAP}{links}",
        "option": rf"{left}(?i:{_any(SAYS_OPTION)}){_GAP}{links}",
        "stated": stated + joins,
        "right": rf"(?P<mark>{free})[)\]）】\"'”*_`]*\s*(?i:{_any(IS_RIGHT)})",
        "marked": rf"(?<!\w)[(\[（【]\s*(?P<mark>{tied}|{letter})\s*[)\]）】]"
        rf"|\*\*\s*(?P<mark>{tied})[).:]?(?=\s*(?:\*\*|\p{{L}}))"
        rf"|^[ \t*_`>\-]*+(?P<mark>{tied}|{letter})[*_`]*(?:[)）:：、]|\.(?=\s)|[ \t]*$)"
        # Numbers open the steps of a reasoning too, so they count in an answer of one line only.
        rf"|\A\s*(?P<mark>{_NUMBER})[.):]\s[^\n]*\s*\Z|\A[^\n]*?(?<!\w)\(\s*(?P<mark>{_NUMBER})\s*\)[^\n]*\s*\Z",
        "bare": rf"(?P<mark>{free})",
    }
    return {name: regex.compile(body, regex.MULTILINE) for name, body in bodies.items()}


def _marks(marks: tuple[str, ...], *, left: bool) -> str:
    """Marks that no letter of their own script follows; with `left`, none precedes them either."""
    groups: list[str] = []
    for script, members in _by_script(marks).items():
        own = rf"\p{{{script}}}\p{{M}}\p{{Nd}}_" if script else r"\w"
        before = rf"(?<![{own}]|['’\-])" if left else ""
        beside = rf"[{own}+#]"
        if script == "Hangul":
            beside = rf"(?!{_HANGUL_ENDINGS}){beside}"
        after = rf"(?!{beside}|['’\-.]\p{{L}})"
        words = [mark for mark in members if mark in WORD_LETTERS]
        others = [mark for mark in members if mark not in WORD_LETTERS]
        if others:
            groups.append(f"{before}(?:{_any(others)}){after}")
        if words:
            groups.append(f"{before}(?:{_any(words)}){after}{_NO_WORD}")
    return f"(?:{'|'.join(groups)})"


def _by_script(marks: tuple[str, ...]) -> dict[str, list[str]]:
    """Marks by the script of their first letter; "" for a mark of another script, or of none."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        script = next((name for name in _SCRIPTS if regex.match(rf"\p{{{name}}}", mark)), "")
        found.setdefault(script, []).append(mark)
    return found


def _any(words: Iterable[str]) -> str:
    """Any of the words, the longest first; nothing at all when there are none."""
    listed = sorted(set(words), key=lambda word: (-len(word), word))
    return "|".join(regex.escape(word, special_only=True) for word in listed) or r"(?!)"
