"""One form for texts that people would call the same: Unicode form, case, white space, surrounding punctuation.

So `»Paris.«` and `**paris**` both become `paris`, and `-5` stays `-5`.
"""

import unicodedata
from typing import Literal

UnicodeForm = Literal["NFC", "NFKC"]

# Marks that steer display only and come and go with copying: bidi controls, zero-width space, BOM, soft hyphen.
# Joiners (U+200C, U+200D) stay: they tell words apart in Persian and the Indic scripts.
_INVISIBLE = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x00AD]
)
_TURKIC = ("tr", "az")
_PUNCTUATION = ("Ps", "Pe", "Pi", "Pf", "Po", "Pd")
# Category Po by Unicode, but part of what is said: 50%, C#, @name, a/b.
_MEANT = "%٪％﹪‰‱#&@/\\"


def normal_form(
    text: str,
    *,
    form: UnicodeForm = "NFC",
    ignore_case: bool = True,
    ignore_punctuation: bool = True,
    language: str | None = None,
) -> str:
    """The text in one form; equal results mean "the same answer".

    form: NFKC also makes full-width letters and digits, ligatures and the like the same.
    language: BCP-47; Turkish and Azerbaijani have their own I.

    >>> normal_form(" **Paris.** ") == normal_form("paris")
    True
    >>> normal_form("-5"), normal_form("50%."), normal_form("?!"), normal_form("C#")
    ('-5', '50%', '?!', 'c#')
    >>> normal_form("STRASSE") == normal_form("Straße")
    True
    >>> normal_form("ISPARTA", language="tr") == normal_form("ısparta", language="tr")
    True
    """
    text = visible(text, form)
    if ignore_case:
        text = fold_case(text, form, language)
    text = " ".join(text.split())
    return without_punctuation_around(text) if ignore_punctuation else text


def visible(text: str, form: UnicodeForm = "NFC") -> str:
    """The text without display-only marks, in one Unicode form.

    >>> visible("\\u200f٣\\u200f")
    '٣'
    """
    if text.isascii():  # every form of it is the same, and none of the marks is in it
        return text
    return unicodedata.normalize(form, text.translate(_INVISIBLE))


def fold_case(text: str, form: UnicodeForm = "NFC", language: str | None = None) -> str:
    """Case folded so that canonically equal texts stay equal (Unicode 3.13, D145: normalise, fold, normalise)."""
    if language is not None and language.split("-")[0].lower() in _TURKIC:
        text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    if text.isascii():
        return text.casefold()
    return unicodedata.normalize(form, unicodedata.normalize("NFD", text).casefold())


def without_punctuation_around(text: str) -> str:
    """The text without quotes, brackets, full stops and markdown around it; all of it when nothing else is there.

    >>> [without_punctuation_around(text) for text in ("«да»", "「はい。」", "है।", "(b)", ".5", "`x`")]
    ['да', 'はい', 'है', 'b', '.5', 'x']
    """
    start, end = 0, len(text)
    while start < end and _is_around(text[start]) and not _leads_a_number(text, start):
        start += 1
    while end > start and _is_around(text[end - 1]):
        end -= 1
    return text[start:end] or text


def _is_around(character: str) -> bool:
    if character in _MEANT:
        return False
    return character in " `_" or unicodedata.category(character) in _PUNCTUATION


def _leads_a_number(text: str, position: int) -> bool:
    """Whether a sign or a decimal point stands before a digit here: it is then no decoration."""
    following = text[position + 1 : position + 2]
    return following.isdecimal() and (text[position] in ".," or unicodedata.category(text[position]) == "Pd")
