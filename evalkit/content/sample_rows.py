"""Turn a row of somebody's data into a Sample.

Without `columns`, a row's fields are a sample's fields, and an unknown one is refused. With `columns`, the named
columns fill the named fields; other columns fill the field of their own name (`language`), or go into metadata.

    columns: {id: item_id, input: prompt, metadata.topic: category}
    {"item_id": "q1", "prompt": "2 + 2?", "language": "en", "category": "sums", "meta": {"label": "safe"}}
    -> id "q1", input "2 + 2?", language "en", metadata {"topic": "sums", "meta": {"label": "safe"}}
"""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.content.sentences import first_error, said, sentence, unknown_key
from evalkit.core.errors import InputError, Place, nearest_name
from evalkit.core.sample import Sample
from evalkit.core.suite import DataSource

Row = dict[str, Any]

FIELDS = frozenset(Sample.model_fields)
TEXT_FIELDS = ("id", "input", "language", "source_language", "cluster")
JSON_FIELDS = ("messages", "choices", "tools", "tags", "metadata")
"""Fields that are no text: in a CSV file, their cell holds JSON."""
_ABSENT = object()


class RowReader:
    """Reads the rows of one source."""

    def __init__(self, data: DataSource, source: Path | str):
        self._columns = data.columns
        self._source = source
        self._cells_are_text = data.file is not None and data.file.endswith((".csv", ".csv.gz"))
        # Whole columns that are mapped; `meta` of `meta.hazard` still goes into metadata.
        self._mapped = set(data.columns.values())
        self._not_found = set(data.columns.values())
        self._is_first = True

    def read(self, line: int, row: Row) -> Sample:
        """The sample of one row. Raises InputError with the line for a field that is unknown, missing or wrong."""
        place = Place(self._source, line)
        fields = self._mapped_fields(row, place) if self._columns else row
        self._is_first = False
        present: Row = {}
        for name, given in fields.items():
            if name not in FIELDS:
                mend = "Put it under `metadata`, or map the file's columns with `columns:` in the suite."
                raise InputError(f"{unknown_key(name, FIELDS)} {mend}", place)
            is_text = type(given) is str and name in TEXT_FIELDS
            value = given if is_text else self._value(name, given, place)
            if value is not None:  # a null is an absent field: what it then is stands in the noun
                present[name] = value
        try:
            return Sample.model_validate(present)
        except ValidationError as failure:
            raise InputError(sentence(first_error(failure), Sample, present), place) from None

    def check_columns_were_found(self) -> None:
        """Raise InputError when a mapped column was in no row at all."""
        for column in sorted(self._not_found):
            raise InputError(f'column "{column}" of `columns:` is in no row', Place(self._source))

    def _mapped_fields(self, row: Row, place: Place) -> Row:
        """The row under the sample's names. `tags.NAME` and `metadata.NAME[.NAME]` are gathered into their field."""
        fields: Row = {}
        for column, value in row.items():
            if column in self._mapped:
                continue
            if column in FIELDS and column not in self._columns:
                value = self._value(column, value, place)
                fields[column] = dict(value) if isinstance(value, dict) else value
            else:
                _put(fields, ("metadata", column), value)
        for field, column in self._columns.items():
            value = _look_up(row, column)
            if value is _ABSENT:
                self._refuse_slip(column, row, place)
            else:
                self._not_found.discard(column)
                _put(fields, tuple(field.split(".")), value)
        return fields

    def _refuse_slip(self, column: str, row: Row, place: Place) -> None:
        """A column that the first row lacks, but that it has under a similar name, was mistyped."""
        near = nearest_name(column, row.keys() - self._mapped) if self._is_first else None
        if near is not None:
            raise InputError(f'column "{column}" of `columns:` is not in this row. Did you mean "{near}"?', place)

    def _value(self, name: str, value: Any, place: Place) -> Any:
        """A field's value in the form of the noun: numbers where text is expected become text, one target a tuple."""
        if self._cells_are_text and name in JSON_FIELDS and isinstance(value, str):
            value = _json_cell(name, value, place)
        if name in TEXT_FIELDS:
            return _as_text(value)
        if name == "messages" and isinstance(value, list | tuple):
            return tuple(_without_nulls(message) for message in value)
        if name == "target" and not isinstance(value, list | tuple):
            value = None if value is None else [value]
        if name in ("target", "choices") and isinstance(value, list | tuple):
            return tuple(_as_text(part) for part in value)
        if name == "tags" and isinstance(value, dict):
            return {key: _as_text(part) for key, part in value.items() if part is not None}
        return value


def _as_text(value: Any) -> Any:
    """A number as it is written in JSON; anything else as it is."""
    return json.dumps(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _without_nulls(message: Any) -> Any:
    """A recorded message that calls a tool has `content: null`, which says the same as no content."""
    return {key: part for key, part in message.items() if part is not None} if isinstance(message, dict) else message


def _json_cell(name: str, cell: str, place: Place) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        raise InputError(f"`{name}` is {said(cell)}; in a CSV file its cell holds JSON", place) from None


def _look_up(row: Row, column: str) -> Any:
    """A column by its name, or by the dotted way to it (`meta.hazard`)."""
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        if not isinstance(value, dict) or part not in value:
            return _ABSENT
        value = value[part]
    return value


def _put(fields: Row, way: tuple[str, ...], value: Any) -> None:
    for part in way[:-1]:
        inner = fields.get(part)
        fields[part] = inner if isinstance(inner, dict) else {}
        fields = fields[part]
    there = fields.get(way[-1])
    fields[way[-1]] = there | value if isinstance(there, dict) and isinstance(value, dict) else value
