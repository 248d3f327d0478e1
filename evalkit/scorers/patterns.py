"""Regular expressions from a suite: checked when read, and stopped when they run away.

The `regex` package, not `re`: Unicode properties (`\\p{Thai}`), full case folding, and a timeout inside a match.
"""

import unicodedata

import regex  # type: ignore[import-untyped]  # ships no types

from evalkit.core.errors import InputError, Place
from evalkit.core.failure import Failure

TIMEOUT_S = 1.0
"""Seconds one match may take. A sane pattern needs microseconds; a catastrophic one would need years."""

PatternTimeout = TimeoutError


def compile_pattern(pattern: str, *, ignore_case: bool, scorer: str, place: Place | None) -> regex.Pattern[str]:
    """The compiled pattern, in Unicode NFC. Raises InputError with the position of what is wrong in it."""
    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    try:
        return regex.compile(unicodedata.normalize("NFC", pattern), flags)
    except regex.error as error:
        position = "" if error.pos is None else f" at character {error.pos + 1}"
        raise InputError(
            f'scorer "{scorer}": pattern "{pattern}" is no regular expression: {error.msg}{position}', place
        ) from error


def matches(pattern: regex.Pattern[str], text: str, *, full: bool = False) -> regex.Match[str] | None:
    """The first match, or the match of the whole text. Raises PatternTimeout after `TIMEOUT_S`."""
    if full:
        return pattern.fullmatch(text, timeout=TIMEOUT_S)
    return pattern.search(text, timeout=TIMEOUT_S)


def timeout_failure(pattern: regex.Pattern[str]) -> Failure:
    """The failure of a match that was stopped: the system's, since the answer was never judged."""
    return Failure(
        blame="system",
        stage="score",
        kind="pattern_timeout",
        message=f'pattern "{pattern.pattern}" ran for more than {TIMEOUT_S:g} s on this answer. Make it simpler.',
    )
