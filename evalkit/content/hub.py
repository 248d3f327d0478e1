"""Rows of a Hugging Face dataset or a parquet file, streamed. The one file that imports `datasets`: it takes seconds.

Loaded by datasets.py when a task asks for such data, and by nothing else. No code of a dataset's repository is run.
"""

import math
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
from datasets.exceptions import DatasetsError

from evalkit.core.errors import InputError, Place
from evalkit.core.suite import DataSource

Row = dict[str, Any]


def hub_rows(data: DataSource, place: Place) -> Iterator[tuple[int, Row]]:
    """(Row number from 1, row) of a pinned hub dataset. Raises InputError when it is not there or cannot be reached."""
    mend = "Check `hub:`, `config:`, `split:`, `revision:` and the network."
    pinned = {"name": data.config, "split": data.split, "revision": data.revision}
    try:
        rows = datasets.load_dataset(data.hub, streaming=True, **pinned)
        yield from _numbered(rows, place)
    except (OSError, ValueError, DatasetsError) as error:
        raise InputError(f'hub dataset "{data.hub}" cannot be read: {_first_line(error)} {mend}', place) from error


def parquet_rows(file: Path) -> Iterator[tuple[int, Row]]:
    """(Row number from 1, row) of a parquet file. Raises InputError when it is no parquet."""
    try:
        rows = datasets.load_dataset("parquet", data_files={"all": str(file)}, split="all", streaming=True)
        yield from _numbered(rows, Place(file))
    except (OSError, ValueError, DatasetsError) as error:
        raise InputError(f"the file cannot be read as parquet: {_first_line(error)}", Place(file)) from error


def _numbered(rows: Any, place: Place) -> Iterator[tuple[int, Row]]:
    for number, row in enumerate(rows, start=1):
        yield number, {name: _json_like(value, name, number, place) for name, value in row.items()}


def _json_like(value: Any, column: str, number: int, place: Place) -> Any:
    """A value as a run's files can hold it: days and times as text, NaN as missing."""
    if isinstance(value, dict):
        return {str(key): _json_like(part, column, number, place) for key, part in value.items()}
    if isinstance(value, list):
        return [_json_like(part, column, number, place) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    kind = type(value).__name__
    raise InputError(f'row {number}: column "{column}" holds {kind}; expected text, numbers or lists of them', place)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
