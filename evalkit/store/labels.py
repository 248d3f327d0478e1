"""Labels people gave, verdicts judges gave, and what they are about: rows of JSON lines.

    items     {"item_id": "xs-1", "language": "en", "category": "homonyms", "prompt": "...", "meta": {"label": "safe"}}
    labels    {"item_id": "xs-1", "system": "gpt4", "annotator": "person_1", "criterion": "refusal", "value": "none"}
    verdicts  {"item_id": "xs-1", "system": "gpt4", "judge": "gpt-4", "criterion": "refusal", "value": null, "raw": "I"}

A pair has `system_b` too, and values a, b or tie. Rows are light dataclasses, not nouns: a file of 100,000 rows is read
in a second. Joining rows, and refusing labels that are there twice, is not done here: see calibration/join.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.core.errors import InputError, Place
from evalkit.store.rows import read_rows

__all__ = [
    "Item",
    "RecordedLabel",
    "RecordedVerdict",
    "Value",
    "read_items",
    "read_labels",
    "read_rows",
    "read_verdicts",
]

Value = str | int | float | bool | None
"""A label or a number; None = skipped (a label), or could not be read (a verdict)."""


@dataclass(frozen=True, slots=True)
class RecordedLabel:
    """One row of a labels file."""

    line: int
    item_id: str
    system: str
    """"" = the item has one answer only."""
    system_b: str | None
    annotator: str
    """A pseudonym; some names are aggregates or slots: see core/label.py."""
    criterion: str
    value: Value
    extra: dict[str, Any]
    """Every other field: `z`, `task`, `attempt`, `response_digest`, `skip`, ..."""

    def field(self, name: str) -> Any:
        """A field by its name in the file; None = not there."""
        return getattr(self, name) if name in _LABEL_FIELDS else self.extra.get(name)


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """One row of a verdicts file."""

    line: int
    item_id: str
    system: str
    system_b: str | None
    judge: str
    prompting: str | None
    order: str | None
    """Pairs: `ab` = system was shown first, `ba` = system_b was; None = not recorded. `value` a is system in both."""
    criterion: str
    value: Value
    raw: Any
    """What the judge wrote, as kept. Untrusted."""
    extra: dict[str, Any]

    def field(self, name: str) -> Any:
        """A field by its name in the file; None = not there."""
        return getattr(self, name) if name in _VERDICT_FIELDS else self.extra.get(name)


@dataclass(frozen=True, slots=True)
class Item:
    """One row of an items file: the columns to slice by."""

    line: int
    item_id: str
    fields: dict[str, Any]
    """The whole row."""

    def column(self, name: str) -> str | None:
        """A column as text, `language` or `meta.split`; None = not there, or null.

        >>> Item(1, "a", {"item_id": "a", "meta": {"split": "dev", "fold": 3}}).column("meta.fold")
        '3'
        """
        value: Any = self.fields
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return None if value is None else str(value)


_LABEL_FIELDS = frozenset({"item_id", "system", "system_b", "annotator", "criterion", "value"})
_VERDICT_FIELDS = frozenset(
    {"item_id", "system", "system_b", "judge", "prompting", "order", "criterion", "value", "raw"}
)
_ORDERS = (None, "ab", "ba")
_VALUE_TYPES = (str, int, float, bool, type(None))
LARGEST_NUMBER = 1e150
"""Its square is still a number: beyond it no mean and no spread can be computed."""


def read_labels(path: Path) -> Iterator[RecordedLabel]:
    """Stream a labels file. Raises InputError with file:line for a field that is missing or of the wrong type."""
    for line, row in read_rows(path):
        try:
            label = RecordedLabel(
                line,
                row.pop("item_id"),
                row.pop("system", ""),
                row.pop("system_b", None),
                row.pop("annotator"),
                row.pop("criterion"),
                row.pop("value"),
                row,
            )
        except KeyError as missing:
            raise _missing(missing.args[0], "label", Place(path, line), row) from None
        _check_texts(path, label, ("item_id", "system", "annotator", "criterion"), ("system_b",))
        _check_value(path, label)
        yield label


def read_verdicts(path: Path) -> Iterator[RecordedVerdict]:
    """Stream a verdicts file. Raises InputError with file:line for a field that is missing or of the wrong type."""
    for line, row in read_rows(path):
        try:
            verdict = RecordedVerdict(
                line,
                row.pop("item_id"),
                row.pop("system", ""),
                row.pop("system_b", None),
                row.pop("judge"),
                row.pop("prompting", None),
                row.pop("order", None),
                row.pop("criterion"),
                row.pop("value"),
                row.pop("raw", None),
                row,
            )
        except KeyError as missing:
            raise _missing(missing.args[0], "verdict", Place(path, line), row) from None
        _check_texts(path, verdict, ("item_id", "system", "judge", "criterion"), ("system_b", "prompting"))
        if verdict.order not in _ORDERS:
            raise _wrong_type(
                "order", verdict.order, '"ab" (system was shown first), "ba", or left out', Place(path, line)
            )
        _check_value(path, verdict)
        yield verdict


def read_items(path: Path) -> Iterator[Item]:
    """Stream an items file. Raises InputError for an item without id, or one that is there twice, with both lines."""
    line_of: dict[str, int] = {}
    for line, row in read_rows(path):
        if "item_id" not in row:
            raise _missing("item_id", "item", Place(path, line), row)
        item = Item(line, row["item_id"], row)
        _check_texts(path, item, ("item_id",), ())
        if item.item_id in line_of:
            first = line_of[item.item_id]
            twice = f'item "{item.item_id}" is there twice: line {first} has it too. Keep one of them.'
            raise InputError(twice, Place(path, line))
        line_of[item.item_id] = line
        yield item


def _check_texts(
    path: Path, row: RecordedLabel | RecordedVerdict | Item, needed: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    for name in needed:
        text = getattr(row, name)
        if type(text) is not str or (not text and name != "system"):
            raise _wrong_type(name, text, "a text that is not empty", Place(path, row.line))
    for name in optional:
        text = getattr(row, name)
        if text is not None and type(text) is not str:
            raise _wrong_type(name, text, "a text, or left out", Place(path, row.line))


def _check_value(path: Path, row: RecordedLabel | RecordedVerdict) -> None:
    if type(row.value) not in _VALUE_TYPES:
        raise _wrong_type("value", row.value, "a label (text), a number, or null", Place(path, row.line))
    if isinstance(row.value, int | float) and abs(row.value) > LARGEST_NUMBER:
        raise _wrong_type("value", row.value, f"a number no larger than {LARGEST_NUMBER:g}", Place(path, row.line))
    if row.system_b is not None and row.value not in ("a", "b", "tie", None):
        expected = '"a" (system is better), "b" (system_b is better), "tie" or null, as the row names `system_b`'
        raise _wrong_type("value", row.value, expected, Place(path, row.line))


def _wrong_type(name: str, found: Any, expected: str, place: Place) -> InputError:
    shown = repr(found) if len(repr(found)) <= 60 else repr(found)[:60] + "..."
    return InputError(f"`{name}` is {expected}; found {shown}.", place)


def _missing(name: str, what: str, place: Place, left: dict[str, Any]) -> InputError:
    others = {"annotator": ("judge", "verdicts"), "judge": ("annotator", "labels")}
    other, file = others.get(name, ("", ""))
    hint = f" It has `{other}`: is this a file of {file}?" if other and other in left else ""
    return InputError(f"this {what} has no `{name}`.{hint or ' Add it.'}", place)
