"""Stream a task's samples: row after row becomes a Sample, and no list of them is ever made.

    {"id": "q1", "input": "2 + 2?", "target": "4", "language": "en", "tags": {"topic": "sums"}}

A file's own names are mapped by `columns`: `{id: item_id, input: prompt, target: reference, tags.topic: meta.topic}`.
How a row becomes a sample: see sample_rows.py. Which samples of a task are run is decided elsewhere: see the runner.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from evalkit.content.csv_rows import csv_rows
from evalkit.content.locate import find_data, shown
from evalkit.content.sample_rows import RowReader
from evalkit.content.sentences import said
from evalkit.core.errors import InputError, Place
from evalkit.core.sample import Sample
from evalkit.core.suite import DataSource, Task
from evalkit.store.rows import read_rows
from evalkit.store.seen import SeenTexts

Rows = Iterator[tuple[int, dict[str, Any]]]

FORMATS = ".jsonl, .jsonl.gz, .csv, .csv.gz or .parquet"


def iter_samples(
    task: Task, suite_folder: Path, data_folders: Iterable[Path] = (), place: Place | None = None
) -> Iterator[tuple[int, Sample]]:
    """(Line, sample) of a task's data, in the file's order; for parquet and the hub the row's number from 1.

    place: where the suite names the data, for the error when there is none.
    Raises InputError with file:line for a row that is no sample, an id that is there twice (both lines are named), a
    mapped column that no row has, and data without a row.
    """
    source, rows = _open(task.data, suite_folder, data_folders, place)
    reader = RowReader(task.data, source)
    seen = SeenTexts()
    for line, row in rows:
        sample = reader.read(line, row)
        if not seen.add(sample.id):
            first = _first_line(sample.id, task, suite_folder, data_folders)
            if first < line:  # else only the digests are equal
                message = f"sample id {said(sample.id)} is here twice: first in line {first}. Ids must differ."
                raise InputError(message, Place(source, line))
        yield line, sample
    if not len(seen):
        raise InputError("there is no sample in it; expected one row for each", Place(source))
    reader.check_columns_were_found()


def _first_line(sample_id: str, task: Task, suite_folder: Path, data_folders: Iterable[Path]) -> int:
    """The first line with this id; there is one."""
    source, rows = _open(task.data, suite_folder, data_folders, None)
    reader = RowReader(task.data, source)
    return next(line for line, row in rows if reader.read(line, row).id == sample_id)


def _open(
    data: DataSource, suite_folder: Path, data_folders: Iterable[Path], place: Place | None
) -> tuple[Path | str, Rows]:
    """Where the rows come from, as shown to people, and the rows."""
    if data.file is None:
        hub_rows = import_module("evalkit.content.hub").hub_rows
        return f"{data.hub}@{data.revision}", hub_rows(data, place or Place(str(data.hub)))
    file = shown(find_data(data.file, suite_folder, data_folders, place))
    if data.file.endswith((".jsonl", ".jsonl.gz")):
        return file, read_rows(file)
    if data.file.endswith((".csv", ".csv.gz")):
        return file, csv_rows(file)
    if data.file.endswith(".parquet"):
        return file, import_module("evalkit.content.hub").parquet_rows(file)
    raise InputError(f'data file "{data.file}" is in no known format; expected {FORMATS}', place)
