"""Find words in a text, on word boundaries where the script writes them.

Latin, Cyrillic, Arabic, Devanagari and others put spaces between words: "art" is not in "party". Chinese, Japanese,
Thai, Lao, Khmer, Burmese, Tibetan and some others do not: there a word is found anywhere. Hangul puts particles behind
a word without a space ("파리는"), so it needs a boundary in front only. Where two such worlds meet ("我在Paris"), there
is a boundary too.
"""

from collections.abc import Iterator
from functools import lru_cache

import regex  # type: ignore[import-untyped]  # ships no types

# Scripts without spaces between words: Unicode UAX #29 (no default boundaries: Han, Hiragana; Katakana runs together)
# and UAX #14 line-break class SA (Thai, Lao, Khmer, Myanmar and their neighbours), and Tibetan.
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tibetan}\p{Javanese}\p{Balinese}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}"
)
_SPACED = rf"[\w--[{_UNSPACED}]]"
_STARTS_SPACED = regex.compile(rf"(?V1){_SPACED}")
_ENDS_SPACED = regex.compile(rf"(?V1){_SPACED}\Z")
_ENDS_HANGUL = regex.compile(r"\p{Hangul}\Z")


def find_words(words: str, text: str, *, whole: bool = True) -> tuple[int, int] | None:
    """Where the words stand in the text first: (start, end), or None. Both in the same normal form already.

    >>> find_words("art", "a party of art"), find_words("art", "party")
    ((11, 14), None)
    >>> find_words("北京", "首都是北京市"), find_words("파리", "수도는 파리입니다")
    ((3, 5), (4, 6))
    >>> find_words("5", "15.5, or 5.2") is None
    True
    """
    return next(all_words(words, text, whole=whole), None)


def all_words(words: str, text: str, *, whole: bool = True) -> Iterator[tuple[int, int]]:
    """Every place where the words stand."""
    return (match.span() for match in _pattern(words, whole).finditer(text))


@lru_cache(maxsize=4096)
def _pattern(words: str, whole: bool) -> regex.Pattern[str]:
    body = regex.escape(words, special_only=True, literal_spaces=True)
    before, after = (_before(words), _after(words)) if whole else ("", "")
    return regex.compile(f"(?V1){before}{body}{after}")


def _before(words: str) -> str:
    if not _STARTS_SPACED.match(words):
        return ""
    # A digit does not begin inside a number: 5 is not in 1.5.
    number = r"(?<!\d[.,٫٬])" if words[0].isdecimal() else ""
    return rf"(?<!{_SPACED}){number}"


def _after(words: str) -> str:
    if not _ENDS_SPACED.search(words) or _ENDS_HANGUL.search(words):
        return ""
    number = r"(?![.,٫٬]\d)" if words[-1].isdecimal() else ""
    return rf"(?!{_SPACED}){number}"
