"""From labels to codes: 0..K-1 in the order of the scale, so that an ordinal label counts as its place."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evalkit.core.scale import Scale
from evalkit.stats.clusters import Floats, Integers

MISSING = -1
"""The code of a rating that is not there."""

Labels = Sequence[Any] | npt.NDArray[Any]


def is_missing(label: Any) -> bool:
    """None and NaN stand for a rating that is not there; an empty text is a label."""
    return label is None or (isinstance(label, float | np.floating) and math.isnan(label))


def as_text(label: Any) -> str:
    """A label as the scale writes it: 3.0 read from a table is the label "3".

    >>> as_text(3.0), as_text("partial")
    ('3', 'partial')
    """
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def categories_of(scale: Scale, *arrays: Labels) -> tuple[str, ...]:
    """The scale's labels in order; where it leaves them open, those that occur, sorted.

    A binary scale without names takes (negative, positive) from the sorted labels: no < yes, 0 < 1, False < True.
    Raises ValueError when an open binary scale meets more than two labels.
    """
    if scale.labels:
        return scale.labels
    seen = sorted({as_text(label) for array in arrays for label in np.ravel(array) if not is_missing(label)})
    if scale.kind == "binary" and len(seen) > 2:
        raise ValueError(f"a binary scale has two labels, got {', '.join(seen)}")
    return tuple(seen)


def label_codes(labels: Labels, categories: Sequence[str]) -> Integers:
    """Codes of the labels in the order of `categories`, any shape; a missing rating becomes MISSING.

    Raises ValueError naming the first label that is not one of the categories.

    >>> label_codes(["none", "full", None], ("none", "partial", "full"))
    array([ 0,  2, -1])
    """
    known: dict[Any, int] = {category: code for code, category in enumerate(categories)}
    array = np.asarray(labels, dtype=object)
    codes = np.fromiter((_code(label, known) for label in array.flat), dtype=np.int64, count=array.size)
    return codes.reshape(array.shape)


def _code(label: Any, known: dict[Any, int]) -> int:
    if is_missing(label):
        return MISSING
    code = known.get(as_text(label))
    if code is None:
        raise ValueError(f'label "{as_text(label)}" is not on the scale: expected {", ".join(known)}')
    return code


def complete_codes(labels_N: Labels, categories: Sequence[str], name: str) -> Integers:
    """Codes of one rater's labels. Raises ValueError naming the position of a missing one."""
    codes_N = label_codes(labels_N, categories)
    _refuse_missing(codes_N == MISSING, name)
    return codes_N


def as_numbers(values: Labels | Floats) -> Floats:
    """Ratings on an interval scale as floats, any shape, NaN where missing. Raises ValueError for what is no number."""
    array = np.asarray(values, dtype=object)
    numbers = np.fromiter((_number(value) for value in array.flat), dtype=np.float64, count=array.size)
    return numbers.reshape(array.shape)


def _number(value: Any) -> float:
    if is_missing(value):
        return math.nan
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f'"{value}" is not a number: an interval scale holds numbers') from None
    if not math.isfinite(number):
        raise ValueError(f"{value} is not finite: an interval scale holds finite numbers")
    return number


def complete_numbers(values_N: Labels | Floats, name: str) -> Floats:
    """One rater's numbers, none of which may be missing. Raises ValueError naming the position of one that is."""
    numbers_N = as_numbers(values_N)
    _refuse_missing(np.isnan(numbers_N), name)
    return numbers_N


def _refuse_missing(missing_N: Iterable[Any], name: str) -> None:
    positions = np.flatnonzero(np.asarray(missing_N))
    if positions.size:
        raise ValueError(f"{name}[{positions[0]}] is missing: drop the sample and count it in n_missing")
