"""Untrusted text made safe to look at: model answers, prompts, judges' reasons, names from files.

Two dangers are met here. Markup is one: whatever goes through the page's template is escaped (page.py), and what this
file returns as markup is built from escaped parts. What the eye cannot see is the other: a right-to-left override or a
zero-width space changes what a reader believes to be there, so it is shown as a chip, `U+202E`.

The two joiners, U+200C and U+200D, are part of ordinary spelling in Persian, in the scripts of India and in emoji;
between such characters they are left alone.
"""

import unicodedata
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]  # ships no types
from markupsafe import Markup, escape

LONGEST_SHOWN = 4_000
"""Grapheme clusters shown at once; the rest is folded."""
LONGEST_KEPT = 60_000
"""Characters of one text that stand in the page at all; beyond them the text is cut and says so."""

_SPELT_WITH_JOINERS = (
    "Arabic Syriac Mongolian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer "
    "Myanmar Tibetan Extended_Pictographic Emoji_Modifier M"
)
_JOINED = "[" + "".join(rf"\p{{{name}}}" for name in _SPELT_WITH_JOINERS.split()) + r"\uFE0F]"
_SPELLING = rf"(?<={_JOINED})[\u200c\u200d](?={_JOINED})"
# Controls (Cc), format characters (Cf: bidi, zero-width, tags, soft hyphen) and lone surrogates (Cs), with the letters
# that look empty; but not the Arabic signs that stand in front of a number, which are Cf and visible.
_EMPTY = r"\u2028\u2029\u115f\u1160\u3164\uffa0"
_SEEN = r"\n\t\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"
_UNSEEN = regex.compile(
    rf"(?:{_SPELLING})(*SKIP)(*FAIL)|[[\p{{Cc}}\p{{Cf}}\p{{Cs}}{_EMPTY}]--[{_SEEN}]]", regex.VERSION1
)
_GRAPHEME = regex.compile(r"\X")
_LANGUAGE_TAG = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")

_SCRIPTS = "adlm arab aran hebr mand nkoo rohg samr syrc thaa"
_LANGUAGES = "ar arc arz azb bal bgn ckb dv fa glk he iw khw ks lrc mzn nqo pnb prs ps sd skr syr ug ur yi"
_RIGHT_TO_LEFT_SCRIPTS = frozenset(_SCRIPTS.split())
_RIGHT_TO_LEFT_LANGUAGES = frozenset(_LANGUAGES.split())


@dataclass(frozen=True)
class ShownText:
    """A text as the page shows it."""

    shown: Markup
    """All of it, or its beginning."""
    full: Markup | None = None
    """The whole text, to be folded, when `shown` is only its beginning."""
    note: str = ""
    """What was left out, in words; empty when nothing was."""


def shown_text(text: str, *, longest_shown: int = LONGEST_SHOWN, longest_kept: int = LONGEST_KEPT) -> ShownText:
    """A text cut by grapheme cluster, with what is unseen made visible.

    >>> shown_text("<b>1</b>").shown
    Markup('&lt;b&gt;1&lt;/b&gt;')
    >>> cut = shown_text("नमस्ते दुनिया", longest_shown=3)
    >>> str(cut.shown), str(cut.full), cut.note
    ('नमस्ते', 'नमस्ते दुनिया', 'the first 3 characters; the whole text has 7')
    """
    kept = text[:longest_kept]
    beginning = _first_graphemes(kept, longest_shown)
    if len(beginning) == len(text):
        return ShownText(with_chips(text))
    if len(kept) < len(text):
        kept_words = f"the text has {len(text):,} code points, of which {len(kept):,} are kept here"
        note = f"the first {longest_shown:,} characters; {kept_words}"
    else:
        note = f"the first {longest_shown:,} characters; the whole text has {len(_GRAPHEME.findall(text)):,}"
    return ShownText(with_chips(beginning), with_chips(kept), note)


def _first_graphemes(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    end = 0
    for number, match in enumerate(_GRAPHEME.finditer(text)):
        if number == longest:
            break
        end = match.end()
    return text[:end]


def with_chips(text: str) -> Markup:
    """Escaped text in which every unseen character is a chip with its code and name.

    >>> print(with_chips("a\\u202eb"))
    a<span class="chip" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>b
    >>> with_chips("می\\u200cخواهم") == "می\\u200cخواهم"
    True
    """
    parts: list[Markup] = []
    end = 0
    for match in _UNSEEN.finditer(text):
        parts.append(escape(text[end : match.start()]))
        parts.append(_chip(match.group()))
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def _chip(character: str) -> Markup:
    name = unicodedata.name(character, "control character")
    return Markup('<span class="chip" title="{}">{}</span>').format(name, _code(character))


def visible(text: str) -> str:
    """Plain text in which every unseen character is written as its code: for names, cells, figures and the console.

    >>> visible("evil\\x1b[31m\\u202ename")
    'evil[U+001B][31m[U+202E]name'
    """
    return str(_UNSEEN.sub(lambda match: f"[{_code(match.group())}]", text))


def breakable(name: str) -> Markup:
    """A name that may be broken after its dots and underscores, escaped.

    >>> print(breakable("xstest.over_refusal"))
    xstest.<wbr>over_<wbr>refusal
    """
    return Markup(regex.sub(r"([._/])(?=\w)", r"\1<wbr>", str(escape(visible(name)))))


def one_line(text: str, longest: int = 200) -> str:
    """Plain text on one line for the console: nothing unseen, no line breaks, cut by grapheme cluster.

    >>> one_line("two\\nlines")
    'two lines'
    """
    flat = visible(text.replace("\n", " ").replace("\t", " "))
    beginning = _first_graphemes(flat, longest)
    return beginning if len(beginning) == len(flat) else beginning + "\N{HORIZONTAL ELLIPSIS}"


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def language_tag(language: str | None) -> str | None:
    """A language as a `lang` attribute; None for what is no language tag.

    >>> language_tag("pt-BR"), language_tag("zh_Hans"), language_tag('en" onload="x'), language_tag(None)
    ('pt-BR', 'zh-Hans', None, None)
    """
    tag = (language or "").replace("_", "-")
    return tag if _LANGUAGE_TAG.fullmatch(tag) else None


def text_direction(language: str | None) -> str:
    """The `dir` attribute of text in a language: by its script where the tag names one; `auto` when nothing is known.

    >>> [text_direction(tag) for tag in ("ar", "ur-PK", "az-Arab", "ks-Deva", "ja", None)]
    ['rtl', 'rtl', 'rtl', 'ltr', 'ltr', 'auto']
    """
    tag = language_tag(language)
    if tag is None:
        return "auto"
    first, *rest = tag.lower().split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        return "rtl" if script in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if first in _RIGHT_TO_LEFT_LANGUAGES else "ltr"
