"""A label or verdict as it stands in a row, and as it counts on the scale.

On a categorical scale a value becomes the index of its label (int16, -1 = missing); on an interval scale it stays a
number (float64, nan = missing).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.rows import Row, Source
from evalkit.calibration.spec import plain_text
from evalkit.core.errors import InputError
from evalkit.core.scale import Scale

Values = NDArray[Any]
"""int16 label indexes with -1 for missing, or float64 with nan for missing."""

MISSING = -1
MAX_LABELS = 200
"""More different labels than this on a scale without declared labels are free text, not labels."""


def collapsed(row: Row, field: str, collapse: Mapping[str, str], source: Source) -> str | float | None:
    """A row's value: a number, or text after collapsing; None = null. Raises InputError for an object or a list."""
    value = row.fields.get(field)
    if value is None:
        return None
    if isinstance(value, Mapping | list):
        raise InputError(f"`{field}` holds {value!r}; a label is a text or a number.", source.place(row))
    if collapse:
        text = str(plain_text(value))
        return collapse.get(text, text)
    if isinstance(value, bool | str):
        return str(plain_text(value))
    if not math.isfinite(value):
        raise InputError(f"`{field}` is {value}; write null where there is no number.", source.place(row))
    return float(value)


def check_one_kind(values: Iterable[tuple[str | float | None, Row, Source]]) -> bool:
    """Whether the values are numbers (else text). Raises InputError naming a row of each kind when they are mixed."""
    first: dict[bool, tuple[str | float, Row, Source]] = {}
    for value, row, source in values:
        if value is not None:
            first.setdefault(isinstance(value, float), (value, row, source))
        if len(first) == 2:
            break
    if len(first) == 2:
        (number, number_row, number_source), (text, text_row, text_source) = first[True], first[False]
        raise InputError(
            f'the value "{text}" is text, but {number_source.place(number_row)} has the number {number:g}. '
            "Choose one criterion (--criterion), another `field:` in --spec, or --scale nominal.",
            text_source.place(text_row),
        )
    return True in first


def settle_scale(declared: Scale | None, numbers: bool, seen: set[str]) -> Scale:
    """The scale with its labels: as declared, or interval for numbers and nominal for text.

    seen: labels found on either side. Raises ValueError when they cannot stand on the declared scale.
    """
    if declared is None:
        return Scale(kind="interval") if numbers else Scale(kind="nominal", labels=_sorted_labels(seen))
    if declared.kind == "interval" or declared.labels:
        return declared
    if declared.kind == "binary":
        if len(seen) > 2:
            listed = ", ".join(sorted(seen)[:8])
            raise ValueError(
                f"a binary scale has two labels, but there are {len(seen)} ({listed}). Collapse them in --spec"
            )
        return declared.model_copy(update={"labels": tuple(sorted(seen)) if len(seen) == 2 else ()})
    return declared.model_copy(update={"labels": _sorted_labels(seen)})


def _sorted_labels(seen: set[str]) -> tuple[str, ...]:
    if len(seen) > MAX_LABELS:
        listed = ", ".join(sorted(seen)[:5])
        raise ValueError(f"there are {len(seen)} different labels ({listed}, ...): that is free text, not a scale")
    return tuple(sorted(seen))


def on_scale(value: str | float | None, scale: Scale, row: Row, source: Source) -> float:
    """The number that stands for a value: itself on an interval scale, else its label's index; nan or -1 = missing."""
    if scale.kind == "interval":
        if value is None:
            return math.nan
        if isinstance(value, str):
            raise InputError(f'"{value}" is text, but the scale is interval (numbers).', source.place(row))
        return value
    if value is None:
        return MISSING
    label = str(plain_text(value))
    if label not in scale.labels:
        raise InputError(
            f'"{label}" is not on the {scale.kind} scale ({", ".join(scale.labels)}). '
            "Name it in --scale, or `collapse:` it in --spec.",
            source.place(row),
        )
    return scale.labels.index(label)


def empty(scale: Scale, *shape: int) -> Values:
    """An array of missing values."""
    if scale.kind == "interval":
        return np.full(shape, np.nan)
    return np.full(shape, MISSING, dtype=np.int16)


def is_there(values: Values) -> NDArray[np.bool_]:
    """Which values are not missing."""
    return ~np.isnan(values) if values.dtype.kind == "f" else values >= 0


def as_labels(values: Values, labels: Sequence[str]) -> NDArray[Any]:
    """Values as the statistics take them: floats as they are, indexes as texts (None = missing), shape unchanged."""
    if values.dtype.kind == "f":
        return values
    named = np.empty(len(labels) + 1, dtype=object)
    named[: len(labels)] = labels
    named[len(labels)] = None  # index -1 reads the last place
    return np.asarray(named[values])
