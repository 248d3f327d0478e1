"""Write numbers for people: with the digits the interval earns, a unit, and a sign and a direction for differences.

    a share of .73 in [.665, .787]           73.0 % [66.5, 78.7]
    its difference from a baseline of .855   −12.5 points [−17.6, −7.4], worse

Digits: the last one shown is worth at most a third of half the interval's width. Shares are shown per hundred and keep
one decimal up to a half width of 10 points, so that two shares and their difference, side by side, can be checked.
Nothing is rounded in the CSVs: see tables.py.
"""

import math
from dataclasses import dataclass
from typing import Literal

from evalkit.core.estimate import Estimate, Slice

MINUS = "\N{MINUS SIGN}"
NO_NUMBER = "\N{EM DASH}"
_MOST_DECIMALS = 8

Direction = Literal["better", "worse", "not decided"]


@dataclass(frozen=True)
class _Form:
    """How a unit is written: what a value is multiplied by, and what stands before and after it."""

    factor: float = 1.0
    before: str = ""
    after: str = ""
    after_difference: str = ""


_FORMS = {
    "share": _Form(factor=100.0, after=" %", after_difference=" points"),
    "usd": _Form(before="$"),
    "tokens": _Form(after=" tokens", after_difference=" tokens"),
    "s": _Form(after=" s", after_difference=" s"),
    "": _Form(),
}


def value_text(estimate: Estimate) -> str:
    """The value with its unit, without its interval.

    >>> value_text(Estimate(value=0.84, low=0.81, high=0.87, n=400))
    '0.84'
    >>> value_text(Estimate(value=0.855, n=200, unit="share")), value_text(Estimate(value=0.00123, n=9, unit="usd"))
    ('85.5 %', '$0.00123')
    >>> value_text(Estimate(value=1234.5, low=1200, high=1269, n=9, unit="tokens"))
    '1,234 tokens'
    >>> value_text(Estimate(value=None, n=0, reason="no pair")) == NO_NUMBER
    True
    """
    if estimate.value is None:
        return NO_NUMBER
    form = _form(estimate.unit)
    return form.before + _figure(estimate.value, estimate, form) + form.after


def difference_text(difference: Estimate) -> str:
    """A difference with its sign and unit, without its interval.

    >>> difference_text(Estimate(value=-0.125, low=-0.176, high=-0.074, n=200, unit="share"))
    '\u221212.5 points'
    >>> difference_text(Estimate(value=0.0021, low=0.0010, high=0.0032, n=200, unit="usd"))
    '+$0.0021'
    """
    if difference.value is None:
        return NO_NUMBER
    form = _form(difference.unit)
    figure = _figure(abs(difference.value), difference, form)
    return _sign(difference.value, figure) + form.before + figure + form.after_difference


def interval_text(estimate: Estimate) -> str:
    """The interval in the value's own digits; empty when it could not be computed.

    >>> interval_text(Estimate(value=-0.125, low=-0.176, high=-0.074, n=200, unit="share"))
    '[\u221217.6, \u22127.4]'
    >>> interval_text(Estimate(value=1.0, n=1))
    ''
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return ""
    form = _form(estimate.unit)
    low, high = (_figure(end, estimate, form) for end in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def amount_text(amount: float | None, unit: str) -> str:
    """An exact amount (a margin, a smallest detectable drop) in three digits; shares are points.

    >>> amount_text(0.02, "share"), amount_text(0.0534, "share"), amount_text(25, "tokens")
    ('2 points', '5.34 points', '25 tokens')
    >>> amount_text(None, "share") == NO_NUMBER
    True
    """
    if amount is None:
        return NO_NUMBER
    form = _form(unit)
    return form.before + _three_digits(amount * form.factor) + form.after_difference


def direction(difference: Estimate | None, better: Literal["higher", "lower"]) -> Direction:
    """What a difference means for its reader: "not decided" when its interval holds zero or is missing.

    >>> direction(Estimate(value=-0.1, low=-0.2, high=-0.01, n=50, unit="share"), "higher")
    'worse'
    >>> direction(Estimate(value=-0.1, low=-0.2, high=-0.01, n=50, unit="tokens"), "lower")
    'better'
    >>> direction(Estimate(value=-0.1, low=-0.2, high=0.01, n=50), "higher")
    'not decided'
    """
    if (
        difference is None
        or difference.low is None
        or difference.high is None
        or difference.low <= 0 <= difference.high
    ):
        return "not decided"
    return "better" if (difference.low > 0) == (better == "higher") else "worse"


def p_text(p: float | None) -> str:
    """A p value.

    >>> p_text(0.0432), p_text(0.00002), p_text(1.0), p_text(None) == NO_NUMBER
    ('0.043', '<\u202f0.001', '1', True)
    """
    if p is None:
        return NO_NUMBER
    if p < 0.001:
        return "<\u202f0.001"
    if 0.0495 <= p < 0.0505:
        return f"{p:.4f}"  # rounding must not carry it over the usual alpha
    return "1" if p > 0.9995 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def count_text(n: int, n_clusters: int | None = None) -> str:
    """How many samples, and in how many clusters where these are fewer.

    >>> count_text(1234, 120), count_text(200, 200), count_text(200)
    ('1,234 in 120 clusters', '200', '200')
    """
    clusters = f" in {n_clusters:,} clusters" if n_clusters not in (None, n) else ""
    return f"{n:,}{clusters}"


def slice_text(wanted: Slice) -> str:
    """A slice in words.

    >>> slice_text({"language": "ar", "tags.hazard": "self harm"}), slice_text({})
    ('language=ar, tags.hazard=self harm', 'overall')
    """
    return ", ".join(f"{column}={value}" for column, value in wanted.items()) or "overall"


def _form(unit: str) -> _Form:
    return _FORMS.get(unit) or _Form(after=f" {unit}", after_difference=f" {unit}")


def _sign(value: float, figure: str) -> str:
    if not any(digit in figure for digit in "123456789"):
        return ""
    return "+" if value > 0 else MINUS


def _figure(value: float, estimate: Estimate, form: _Form) -> str:
    """One number in the digits its estimate's interval earns; without an interval, in three."""
    decimals = _decimals(estimate, form)
    if decimals is None:
        return _three_digits(value * form.factor)
    return _with_minus(f"{value * form.factor:,.{decimals}f}")


def _decimals(estimate: Estimate, form: _Form) -> int | None:
    if estimate.low is None or estimate.high is None or estimate.high <= estimate.low:
        return None
    half_width = form.factor * (estimate.high - estimate.low) / 2
    # The small term keeps a half width of .03 at two decimals whichever way the subtraction rounds.
    decimals = max(0, -math.floor(math.log10(half_width / 3) + 1e-9))
    if form.factor == 100.0 and half_width < 10:
        decimals = max(decimals, 1)
    return min(decimals, _MOST_DECIMALS)


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    decimals = min(max(0, 2 - math.floor(math.log10(abs(value)))), _MOST_DECIMALS)
    text = f"{value:,.{decimals}f}"
    return _with_minus(text.rstrip("0").rstrip(".") if "." in text else text)


def _with_minus(text: str) -> str:
    """A true minus sign, and none before a number that rounds to zero."""
    if text.startswith("-"):
        return MINUS + text[1:] if any(digit in text for digit in "123456789") else text[1:]
    return text
