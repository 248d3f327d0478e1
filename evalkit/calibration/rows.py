"""Rows as they stand in the files, and how a column of theirs is found.

    label    {"item_id": "p1", "system": "new", "annotator": "ann", "criterion": "refusal", "value": "full"}
    verdict  {"item_id": "p1", "system": "new", "judge": "gpt-4", "criterion": "refusal", "value": null, "raw": "I ..."}
    item     {"item_id": "p1", "language": "ar", "category": "harm", "meta": {"split": "test"}}

A labels row and a verdicts row speak of the same response when their keys are equal: item, system, second system of a
pair, and attempt (0 when absent).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.calibration.spec import Where, plain_text
from evalkit.core.errors import Place, unknown_name

Key = tuple[str, str, str, int]
"""item_id, system, system_b ("" when the answer stands alone), attempt."""

Items = Mapping[str, Mapping[str, Any]]
"""item_id -> the item's row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: its number (from 1) and its fields."""

    line: int
    fields: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """What the row is about."""
        get = self.fields.get
        return (str(get("item_id")), str(get("system") or ""), str(get("system_b") or ""), int(get("attempt") or 0))

    def text(self, name: str) -> str | None:
        """A field as text; None when absent or null."""
        value = self.fields.get(name)
        return None if value is None else str(plain_text(value))


@dataclass(frozen=True)
class Source:
    """A file's rows, in order."""

    file: Path
    rows: tuple[Row, ...]

    def place(self, row: Row) -> Place:
        """Where a row stands."""
        return Place(self.file, row.line)


@dataclass(frozen=True)
class Inputs:
    """Everything one calibration reads."""

    labels: Source
    verdicts: Source | None = None
    items: Items | None = None
    items_file: Path | None = None


def say_key(key: Key) -> str:
    """A key as a sentence shows it.

    >>> say_key(("p1", "new", "", 0))
    'item_id "p1", system "new"'
    """
    item_id, system, system_b, attempt = key
    pair = f', system_b "{system_b}"' if system_b else ""
    return f'item_id "{item_id}", system "{system}"{pair}' + (f", attempt {attempt}" if attempt else "")


def value_of(name: str, fields: Mapping[str, Any], item: Mapping[str, Any] | None) -> str | None:
    """A column's value as text: of the row itself, else of its item; dots lead into nested objects. None = not set.

    >>> value_of("meta.split", {}, {"meta": {"split": "test"}})
    'test'
    """
    for record in (fields, item or {}):
        found: Any = record.get(name)
        if found is None and "." in name:
            found = record
            for part in name.split("."):
                found = found.get(part) if isinstance(found, Mapping) else None
        if found is not None and not isinstance(found, Mapping | list):
            return str(plain_text(found))
    return None


def passes(row: Row, where: Where, items: Items | None) -> bool:
    """Whether a row has the values that `where` asks for."""
    item = items.get(str(row.fields.get("item_id"))) if items else None
    return all(_matches(value_of(name, row.fields, item), wanted) for name, wanted in where.items())


def check_columns(names: Iterable[str], source: Source, items: Items | None, place: Place | None = None) -> None:
    """Raise InputError for a column that neither a row nor an item has."""
    for name in names:
        rows = source.rows
        if any(value_of(name, row.fields, items.get(row.key[0]) if items else None) is not None for row in rows):
            continue
        raise unknown_name(
            "column", name, _known_columns(source, items), place or Place(source.file), _column_hint(items)
        )


def _column_hint(items: Items | None) -> str:
    return "" if items else "No items file was given (--items): slices mostly come from there."


def _known_columns(source: Source, items: Items | None) -> set[str]:
    records = [row.fields for row in source.rows[:1000]] + list((items or {}).values())[:1000]
    known: set[str] = set()
    for record in records:
        for name, value in record.items():
            known |= {f"{name}.{inner}" for inner in value} if isinstance(value, Mapping) else {name}
    return known - {"prompt", "messages", "tools", "reference", "raw", "raw_value", "value", "text"}


def _matches(found: str | None, wanted: str | tuple[str, ...]) -> bool:
    if found is None:
        return False
    options = (wanted,) if isinstance(wanted, str) else wanted
    return any(found == option or (option.endswith("*") and found.startswith(option[:-1])) for option in options)
