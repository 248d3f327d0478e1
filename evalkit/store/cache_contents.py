"""What the cache holds, by model, and how parts of it are taken out while runs go on.

    contents(folder)                                  ->  Contents(entries=1204, file_bytes=2_400_000, models=...)
    prune(folder, Pruning(used_before=date(2026, 10, 22)))  ->  Freed(entries=800, ...)

Entries are removed a few thousand at a time, so that runs that write wait no longer than a moment.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from evalkit.core.errors import unknown_name
from evalkit.store.cache_file import FILE_NAME, file_error, is_locked, open_file

_EPOCH = date(1970, 1, 1)
_AT_ONCE = 5_000
_ENTRY_BYTES = 80
"""About what an entry takes beside its value: key, index, days."""


@dataclass(frozen=True)
class ModelContents:
    """The answers of one model."""

    model: str
    entries: int
    value_bytes: int
    """As they lie in the file, compressed."""
    first_made: date
    last_used: date
    """Days in UTC."""


@dataclass(frozen=True)
class Contents:
    """What a cache holds."""

    entries: int
    file_bytes: int
    """On disk, with what waits beside the file (-wal)."""
    models: tuple[ModelContents, ...]
    """The one used last first."""


@dataclass(frozen=True)
class Pruning:
    """What is to be taken out: entries of `model` (None = all) that were not used since, or all of them; then the
    least recently used ones until the file is small enough.
    """

    model: str | None = None
    used_before: date | None = None
    most_bytes: int | None = None


@dataclass(frozen=True)
class Freed:
    """What was taken out."""

    entries: int
    freed_bytes: int
    problem: str = ""
    """Why the file is not smaller, when it is not; "" = it is."""


def is_there(folder: Path) -> bool:
    """Whether anything was ever kept in a folder."""
    return (folder / FILE_NAME).is_file()


def contents(folder: Path) -> Contents:
    """Count a cache that is there. Raises InputError when its file cannot be used."""
    file_bytes = _file_bytes(folder)
    try:
        with closing(open_file(folder)) as connection:
            rows = connection.execute(
                "SELECT models.name, count(*), sum(length(value)), min(made_day), max(used_day) FROM answers "
                "JOIN models ON models.id = answers.model GROUP BY models.name ORDER BY max(used_day) DESC, models.name"
            ).fetchall()
    except sqlite3.Error as error:
        raise file_error(error, folder / FILE_NAME) from error
    models = tuple(ModelContents(name, n, size, date_of(made), date_of(used)) for name, n, size, made, used in rows)
    return Contents(sum(model.entries for model in models), file_bytes, models)


def prune(folder: Path, pruning: Pruning) -> Freed:
    """Take entries out, and give their room back to the disk. Safe while runs read and write.

    Raises InputError for a model of which nothing is kept, and when the file cannot be used.
    """
    before = _file_bytes(folder)
    try:
        with closing(open_file(folder)) as connection:
            removed = _remove_chosen(connection, pruning)
            if pruning.most_bytes is not None:
                removed += _remove_oldest(connection, pruning.most_bytes)
            problem = _shrink(connection)
    except sqlite3.Error as error:
        raise file_error(error, folder / FILE_NAME) from error
    return Freed(removed, max(0, before - _file_bytes(folder)), problem)


def _remove_chosen(connection: sqlite3.Connection, pruning: Pruning) -> int:
    where: list[str] = []
    values: list[int] = []
    if pruning.model is not None:
        where.append("model = ?")
        values.append(_model_id(connection, pruning.model))
    if pruning.used_before is not None:
        where.append("used_day < ?")
        values.append((pruning.used_before - _EPOCH).days)
    if not where:
        return 0
    remove = f"DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE {' AND '.join(where)} LIMIT {_AT_ONCE})"
    removed = 0
    while (done := connection.execute(remove, values).rowcount) > 0:
        removed += done
    return removed


def _model_id(connection: sqlite3.Connection, name: str) -> int:
    rows = connection.execute("SELECT name, id FROM models WHERE id IN (SELECT DISTINCT model FROM answers)")
    known: dict[str, int] = dict(rows.fetchall())
    if name not in known:
        raise unknown_name("--model", name, known, hint="`evalkit cache stats` lists the models.")
    return known[name]


def _remove_oldest(connection: sqlite3.Connection, most_bytes: int) -> int:
    """Least recently used first, until what is left takes no more than so many bytes."""
    removed = 0
    while (excess := _used_bytes(connection) - most_bytes) > 0:
        oldest = connection.execute(
            f"SELECT id, length(value) + {_ENTRY_BYTES} FROM answers ORDER BY used_day, id LIMIT {_AT_ONCE}"
        ).fetchall()
        if not oldest:
            break
        chosen: list[tuple[int]] = []
        for number, size in oldest:
            if excess <= 0:
                break
            chosen.append((number,))
            excess -= size
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM answers WHERE id = ?", chosen)
        connection.execute("COMMIT")
        removed += len(chosen)
    return removed


def _used_bytes(connection: sqlite3.Connection) -> int:
    """The file without its free pages: what it takes after it was shrunk."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _shrink(connection: sqlite3.Connection) -> str:
    """Give free pages back to the disk. The sentence why that could not be, or ""."""
    try:
        connection.execute("VACUUM")
        is_busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        if is_locked(error):
            is_busy = True
        else:
            return f"the file is as large as before ({error}): shrinking it needs as much room again as it takes"
    if is_busy:
        return "runs are using the file: call this again when they have ended, and it gets smaller"
    return ""


def _file_bytes(folder: Path) -> int:
    files = (folder / FILE_NAME, folder / f"{FILE_NAME}-wal")
    return sum(file.stat().st_size for file in files if file.is_file())


def date_of(day: int) -> date:
    return _EPOCH + timedelta(days=day)
