"""The one file that answers are kept in for later runs: opened, made, and what is wrong with it in words.

    FOLDER/responses.sqlite    SQLite in WAL mode: many processes read and write it at once, and a kill loses only what
                               no transaction had written yet (beside it, while in use: -wal and -shm)

A file of another program is never written into, and one of a newer evalkit is left alone. WAL needs memory that
processes share, so the folder must be on a disk of this machine.
"""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from evalkit.core.errors import InputError, Place
from evalkit.store.disk import PRIVATE_FILE, disk_error, make_private_folder

FILE_NAME = "responses.sqlite"
APPLICATION_ID = 0x65766B63
"""Says whose file it is: "evkc"."""
SCHEMA = 1
LOCK_WAIT_S = 5.0
"""How long opening and closing wait for a lock. A transaction of ours takes milliseconds; `prune` takes longer."""

ELSEWHERE = "name another folder with --cache or EVALKIT_CACHE, or leave the cache out with --no-cache"

_TABLES = (
    "CREATE TABLE IF NOT EXISTS models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # Days are days since 1970-01-01, in UTC. The value is last: the other columns are read without it.
    "CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, model INTEGER NOT NULL, "
    "made_day INTEGER NOT NULL, used_day INTEGER NOT NULL, value BLOB NOT NULL)",
)


def open_file(folder: Path, *, lock_wait_s: float = LOCK_WAIT_S) -> sqlite3.Connection:
    """The file, made where it is missing, in autocommit. Raises InputError when it cannot be used, with the mend."""
    file = folder / FILE_NAME
    try:
        make_private_folder(folder)
        _make_private(file)
    except OSError as error:
        raise _refused(disk_error(error, file, "opened as the cache")) from error
    except InputError as error:
        raise _refused(error) from error
    deadline_s = time.monotonic() + lock_wait_s
    while True:
        try:
            return _connect(file, lock_wait_s)
        except sqlite3.Error as error:
            # Two processes that make the file at once: SQLite answers "locked" here without waiting.
            if not is_locked(error) or time.monotonic() >= deadline_s:
                raise file_error(error, file) from error
        time.sleep(0.01)


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another process was in the way, so that trying again may do."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def file_error(error: sqlite3.Error, file: Path) -> InputError:
    """What SQLite said, with the mend.

    >>> print(file_error(sqlite3.OperationalError("database or disk is full"), Path("cache/responses.sqlite")))
    cache/responses.sqlite: the cache cannot be used: database or disk is full. Check the folder, or name another
    folder with --cache or EVALKIT_CACHE, or leave the cache out with --no-cache.
    """
    mends = {
        sqlite3.SQLITE_BUSY: f"Wait until the process that holds its lock ends, or {ELSEWHERE}",
        sqlite3.SQLITE_LOCKED: f"Wait until the process that holds its lock ends, or {ELSEWHERE}",
        sqlite3.SQLITE_FULL: f"Make room on its disk (`evalkit cache prune`), or {ELSEWHERE}",
        sqlite3.SQLITE_IOERR: f"Its disk may be failing or full, or files may not grow (ulimit -f): {ELSEWHERE}",
        sqlite3.SQLITE_READONLY: f"Give this user the right to write there, or {ELSEWHERE}",
        sqlite3.SQLITE_CANTOPEN: f"Give this user the right to write there, or {ELSEWHERE}",
        sqlite3.SQLITE_CORRUPT: _delete(file),
        sqlite3.SQLITE_NOTADB: _delete(file),
    }
    mend = mends.get(_code(error), f"Check the folder, or {ELSEWHERE}")
    return InputError(f"the cache cannot be used: {error}. {mend}.", Place(file))


def damaged(file: Path) -> InputError:
    """The error for an entry whose checksum is wrong."""
    return InputError(f"the cache is damaged: an answer in it is not what was written. {_delete(file)}.", Place(file))


def _delete(file: Path) -> str:
    return f"Delete it (rm {file}*): what it held is then asked again"


def _code(error: sqlite3.Error) -> int:
    """The primary code: the upper bits say more, and differ from version to version."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _make_private(file: Path) -> None:
    """An empty file for its owner alone, where there is none; SQLite gives -wal and -shm the same rights.

    One that is there is not even opened: closing it would take away the locks that another connection of this process
    holds on it (sqlite.org/howtocorrupt.html, section 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE))
    if os.geteuid() not in (file.stat().st_uid, 0):
        raise InputError("the cache belongs to another user, who could put answers in it.", Place(file))


def _refused(error: InputError) -> InputError:
    mend = "--cache or EVALKIT_CACHE names another folder, --no-cache leaves the cache out."
    return InputError(f"{error.message} {mend}", error.place)


def _connect(file: Path, lock_wait_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=lock_wait_s, isolation_level=None)
    try:
        if _is_new(connection, file):
            _use_wal(connection, file)
            connection.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                connection.execute(table)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
            connection.execute("COMMIT")
        else:
            _use_wal(connection, file)
        # In WAL mode the file stays whole through a power failure; the last transactions may be lost, no more.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_new(connection: sqlite3.Connection, file: Path) -> bool:
    """Whether nothing is in the file yet. Raises InputError for another's file and for a newer evalkit's."""
    connection.execute("BEGIN")  # one moment's view: another process may be making the tables just now
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if application == 0 and tables == 0:
        return True
    if application != APPLICATION_ID:
        raise InputError(f"this is no cache of evalkit's: {ELSEWHERE}.", Place(file))
    if schema > SCHEMA:
        raise InputError(
            f"the cache was made by a newer evalkit (schema {schema}; this one knows {SCHEMA}): update evalkit, or "
            f"{ELSEWHERE}.",
            Place(file),
        )
    return False


def _use_wal(connection: sqlite3.Connection, file: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise InputError(f"the cache needs a disk of this machine, not a network's: {ELSEWHERE}.", Place(file))
