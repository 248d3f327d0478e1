r"""Find the numbers in a text, in any script and in the habits of its language.

    "Es sind 1.234,5 km."  (de)  ->  1234.5           "१,२३,४५६"  ->  123456          "−٣٫٥"  ->  -3.5
    "3/4", "1 ½", "\frac{3}{4}"  ->  0.75, 1.5, 0.75     "6.02×10²³", "1e-3"          "50 %"  ->  50, a hundredth each

Which reading counts, in this order:
1. Two different separators: the last is the decimal one (1.234,5 and 1,234.5). One that repeats groups (1,234,567).
2. One separator that cannot group (3.14, 12,5, 0,123) is the decimal one.
3. What is left is like 1,234: the language decides when it uses that separator; otherwise both readings are kept,
   and the target decides (number.py).

Numbers in words, Chinese numerals (三百) and words of size (million, lakh, 万) are not read.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

import regex  # type: ignore[import-untyped]  # ships no types

from evalkit.scorers.normal_form import visible
from evalkit.scorers.separators import SPACES, Convention, convention_of

LONGEST = 400
"""Characters of a number, and size of its exponent, beyond which it is not read: it means nothing, and costs time."""

_EXACT = Context(prec=LONGEST)
"""Python's own context would round what is written in more than 28 digits."""

_MINUS_SIGNS = "-\u2212\uff0d\ufe63\u2010\u2011\u2012\u2013"
_MINUS = regex.escape(_MINUS_SIGNS)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_PERCENT = {**dict.fromkeys("%٪％﹪", Decimal("0.01")), "‰": Decimal("0.001")}
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"

_TIDY = (
    (regex.compile(r"\\[dt]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}"), r"\1/\2"),
    (regex.compile(r"(?<=\d)\{,\}(?=\d)"), ","),
    (regex.compile(r"(?<=\d)\\[,;:](?=\d)"), "\u2009"),
    (regex.compile(r"\\(?=[%$])|\\!"), ""),
    (regex.compile(r"\s?\\times\s?|\s?\\cdot\s?"), "×"),
    (regex.compile(r"(?<=[０-９])，(?=[０-９]{3}(?![０-９]))"), ","),
    (regex.compile(r"(?<=[０-９])．(?=[０-９])"), "."),
)

# A digit right behind a cased letter belongs to a name (H2O, x1), unless the letters are a currency's (USD500, Rs500).
_LEFT = r"(?<!\d)(?:(?<![\p{Lu}\p{Ll}])|(?<=\b[A-Z]{3})|(?<=\bRs))"
# A minus is a sign unless something it could join stands before it: 3-5, A-5, (x)-5.
_SIGN = rf"(?:(?<![\p{{Lu}}\p{{Ll}}\d)\]}}%{_MINUS}])(?P<sign>[{_MINUS}])(?:\p{{Sc}}\s?)?)?"
_EXPONENT = rf"(?:\^\{{?\s?(?P<power>[+{_MINUS}]?\d+)\s?\}}?|(?P<superscript>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))"
_SCIENTIFIC = rf"(?:[eE](?P<exponent>[+{_MINUS}]?\d+)(?!\w)|\s?[×x*·⋅]\s?10{_EXPONENT})"


@dataclass(frozen=True)
class Numeral:
    """One number as it stands in a text."""

    text: str
    readings: tuple[Decimal, ...]
    """What it may mean; more than one when the language leaves 1,234 undecided."""
    scale: Decimal | None = None
    """0.01 behind a percent sign, 0.001 behind a per mille sign; the readings are without it."""


def find_numerals(text: str, language: str | None = None, *, from_data: bool = False) -> Iterator[Numeral]:
    """Every number of the text in order.

    from_data: the text may have been written by a program, so 1.234 also has the reading with a decimal point, whatever
    the language.

    >>> [str(numeral.readings[0]) for numeral in find_numerals("2 + ٣ = ๕, or −1,5 (1.234,5)", "de")]
    ['2', '3', '5', '-1.5', '1234.5']
    >>> [str(value) for value in next(find_numerals("1,234")).readings]
    ['1234', '1.234']
    """
    convention = convention_of(language)
    spaces = SPACES + (" " if convention and " " in convention.groups else "")
    for match in _pattern(spaces).finditer(_tidy(text)):
        yield from _read(match, convention, from_data)


def _tidy(text: str) -> str:
    """LaTeX and full-width forms made plain, and every decimal digit ASCII."""
    text = visible(text)
    for pattern, plain in _TIDY:
        text = pattern.sub(plain, text)
    return "".join(str(unicodedata.decimal(mark)) if mark.isdecimal() else mark for mark in text)


_patterns: dict[str, regex.Pattern[str]] = {}


def _pattern(spaces: str) -> regex.Pattern[str]:
    if spaces not in _patterns:
        grouped = rf"\d{{1,3}}(?P<space>[{spaces}])\d{{3}}(?:(?P=space)\d{{3}})*+(?!\d)(?:[.,٫]\d++)?"
        fraction = r"(?:(?P<whole>\d++)\ )?(?P<top>\d++)\s?[/⁄∕]\s?(?P<bottom>\d++)(?![/⁄∕.,]\d)(?<![/⁄∕]\d+[/⁄∕]\d+)"
        vulgar = rf"(?:(?P<before>\d++)\ ?)?(?P<vulgar>[{_VULGAR}])"
        plain = r"\d++(?:[.,٫٬'’_]\d++)*+|(?<![\w.)])[.٫]\d++"
        _patterns[spaces] = regex.compile(
            rf"{_SIGN}{_LEFT}(?:{vulgar}|{fraction}|10{_EXPONENT}|(?P<body>{grouped}|{plain}){_SCIENTIFIC}?)"
            rf"(?:\s?(?P<percent>[{''.join(_PERCENT)}]))?"
        )
    return _patterns[spaces]


def _read(match: regex.Match[str], convention: Convention | None, from_data: bool) -> Iterator[Numeral]:
    sign = Decimal(-1 if match["sign"] else 1)
    scale = _PERCENT[match["percent"]] if match["percent"] else None
    if len(match.group()) > LONGEST:
        return
    if match["top"]:
        yield from _fraction(match, sign, scale)
        return
    size = _power_of(match)
    if size is None:
        return
    if match["body"] is None:
        value = _vulgar(match) if match["vulgar"] else _EXACT.scaleb(Decimal(1), size)
        yield Numeral(match.group().strip(), (sign * value,), scale)
        return
    readings = _readings(match["body"], convention, from_data)
    if readings:
        yield Numeral(
            match.group().strip(), tuple(_EXACT.multiply(sign, _EXACT.scaleb(value, size)) for value in readings), scale
        )
    else:  # digits with separators that form no number: a version, a date, a list
        yield from (Numeral(part, (Decimal(part),)) for part in regex.findall(r"\d++", match["body"]))


def _fraction(match: regex.Match[str], sign: Decimal, scale: Decimal | None) -> Iterator[Numeral]:
    """3/4 and 1 3/4. What is no such thing gives its parts: 2024 5/3 a year and a fraction, 5/0 two numbers."""
    whole, top, bottom = (Decimal(match[name] or 0) for name in ("whole", "top", "bottom"))
    if bottom == 0:
        yield from (Numeral(match[name], (Decimal(match[name]),)) for name in ("whole", "top", "bottom") if match[name])
    elif match["whole"] and top >= bottom:
        yield Numeral(match["whole"], (sign * whole,))
        yield Numeral(f"{match['top']}/{match['bottom']}", (top / bottom,), scale)
    else:
        yield Numeral(match.group().strip(), (sign * (whole + top / bottom),), scale)


def _vulgar(match: regex.Match[str]) -> Decimal:
    """½ and 1½. Unicode tells a fraction as a float; every one of these has a denominator of at most 10."""
    part = Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(10)
    return Decimal(match["before"] or 0) + Decimal(part.numerator) / part.denominator


def _power_of(match: regex.Match[str]) -> int | None:
    """The power of ten behind a number, 0 without one, None when it is beyond `LONGEST`."""
    written = match["exponent"] or match["power"] or (match["superscript"] or "0").translate(_SUPERSCRIPT)
    digits = written.lstrip(_MINUS_SIGNS + "+")
    if len(digits) > len(str(LONGEST)) or int(digits) > LONGEST:
        return None
    return -int(digits) if written[0] in _MINUS_SIGNS else int(digits)


def _readings(body: str, convention: Convention | None, from_data: bool) -> tuple[Decimal, ...]:
    """What digits with separators may mean; () when they form no number."""
    separators = [mark for mark in body if not mark.isdigit()]
    if not separators:
        return (Decimal(body),)
    last = separators[-1]
    whole = _grouped(body) if last != "٫" else None
    decimal = _with_decimal(body, last) if last in ".,٫" else None
    if whole is not None and decimal is not None and convention is not None:
        if last == convention.decimal:
            whole = None
        elif last in convention.groups and not (from_data and last == "."):
            decimal = None
    return tuple(value for value in (whole, decimal) if value is not None)


def _with_decimal(body: str, separator: str) -> Decimal | None:
    """The last separator as the decimal one; the others must be of another kind, and group."""
    head, _, tail = body.rpartition(separator)
    if separator in head:
        return None
    whole = _grouped(head) if head else Decimal(0)
    return None if whole is None else Decimal(f"{whole}.{tail}")


def _grouped(body: str) -> Decimal | None:
    """Digits in groups of three (1,234,567), or as in India (12,34,567: only with commas); None when they are not."""
    separators = {mark for mark in body if not mark.isdigit()}
    if not separators:
        return Decimal(body)
    if len(separators) > 1:
        return None
    separator = separators.pop()
    first, *groups = body.split(separator)
    threes = len(first) <= 3 and all(len(group) == 3 for group in groups)
    indian = (
        separator == "," and len(first) <= 2 and all(len(group) == 2 for group in groups[:-1]) and len(groups[-1]) == 3
    )
    return Decimal(body.replace(separator, "")) if (threes or indian) and not first.startswith("0") else None
