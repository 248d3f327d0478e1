"""Answers kept for later runs: bytes by a key of 16 bytes, read and written by many processes at once.

    cache.put(key, b'{"text":"4","finish_reason":"stop"}', model="vllm:checkpoints/new")
    cache.get(key)  ->  b'{"text":"4","finish_reason":"stop"}', now or in a year, here or in another process

What a key is made of and what may be kept is decided elsewhere (runner/cached.py). Writes are gathered and made in one
transaction; a kill loses those alone. Nothing that goes wrong with the file is raised: it is said once, in a sentence,
and from then on nothing is found (a damaged file, no rights), or nothing is kept (a full disk, a lock held too long).
"""

import sqlite3
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from evalkit.core.errors import InputError
from evalkit.store.cache_file import FILE_NAME, LOCK_WAIT_S, damaged, file_error, is_locked, open_file

KEY_BYTES = 16
FLUSH_RECORDS = 512
FLUSH_EVERY_S = 0.5
MOST_WAITING_BYTES = 64 << 20
"""What is kept in memory for a file that another process has locked; beyond it nothing more is kept."""
COMPRESS_FROM_BYTES = 4096
"""zlib at level 1 halves what is longer, at about 8 us per KB; shorter ones cost less as they are."""
SECONDS_PER_DAY = 86_400

_BUSY_WAIT_MS = 100
"""How long a flush within a run waits for a lock: everything else in the process waits with it."""
_TRY_AGAIN_S = 2.0
_FIND = "SELECT id, used_day, value FROM answers WHERE key = ?"
_PUT = "INSERT OR IGNORE INTO answers (key, model, made_day, used_day, value) VALUES (?, ?, ?, ?, ?)"
_USED = "UPDATE answers SET used_day = ? WHERE id = ? AND used_day < ?"


class _Waiting(NamedTuple):
    """An answer that no transaction has written yet."""

    value: bytes
    model: str


class ResponseCache:
    """The cache in one folder. Nothing is opened or made before the first `get` or `put`; close it, or use `with`."""

    def __init__(self, folder: Path, say: Callable[[str], None] | None = None, *, lock_wait_s: float = LOCK_WAIT_S):
        """say: told, once each, what is wrong with the file; None = nobody is. Used by one thread."""
        self.folder = folder
        self._file = folder / FILE_NAME
        self._say = say or (lambda sentence: None)
        self._lock_wait_s = lock_wait_s
        self._connection: sqlite3.Connection | None = None
        self._usable = self._writable = True
        self._models: dict[str, int] = {}
        self._waiting: dict[bytes, _Waiting] = {}
        self._waiting_bytes = 0
        self._used: set[int] = set()
        """Entries found for the first time on this day."""
        self._flush_at_s = 0.0

    def get(self, key: bytes) -> bytes | None:
        """What was put under the key, by whomever; None = nothing."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            return waiting.value
        connection = self._opened()
        if connection is None:
            return None
        try:
            row = connection.execute(_FIND, (key,)).fetchone()
        except sqlite3.Error as error:
            if not is_locked(error):
                self._give_up(file_error(error, self._file))
            return None
        if row is None:
            return None
        value = _unpacked(key, row[2])
        if value is None:
            self._give_up(damaged(self._file))
            return None
        if row[1] < today() and self._writable:
            self._used.add(row[0])
            self._flush_when_due()
        return value

    def put(self, key: bytes, value: bytes, *, model: str) -> None:
        """Keep an answer; what is under the key already stays. model: what `evalkit cache stats` lists it under."""
        if not self._writable or self._opened() is None or key in self._waiting:
            return
        self._waiting[key] = _Waiting(value, model)
        self._waiting_bytes += len(value)
        self._flush_when_due()

    def flush(self, *, wait_s: float | None = None) -> None:
        """Write what waits, in one transaction. wait_s: for another process's lock; None = hardly, and try later."""
        connection = self._connection
        if connection is None or not self._writable or not (self._waiting or self._used):
            return
        wait_ms = _BUSY_WAIT_MS if wait_s is None else round(wait_s * 1000)
        try:
            connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
            self._write(connection)
        except sqlite3.Error as error:
            # What was taken from the lock's holder is not lost: it waits, as long as there is room for it.
            if is_locked(error) and wait_s is None and self._waiting_bytes < MOST_WAITING_BYTES:
                self._flush_at_s = time.monotonic() + _TRY_AGAIN_S
                return
            self._keep_nothing_more(file_error(error, self._file))
            return
        self._waiting.clear()
        self._used.clear()
        self._waiting_bytes = 0
        self._flush_at_s = time.monotonic() + FLUSH_EVERY_S

    def rest(self) -> None:
        """Write what waits, and close the file until the next `get` or `put`.

        An engine that starts meanwhile may fork, and no process may carry another's connection on
        (sqlite.org/howtocorrupt.html, section 2.6).
        """
        self.flush(wait_s=self._lock_wait_s)
        self._disconnect()

    def close(self) -> None:
        """Write what waits, and close; a second time does nothing."""
        self.rest()
        self._usable = self._writable = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection | None:
        if self._connection is None and self._usable:
            try:
                self._connection = open_file(self.folder, lock_wait_s=self._lock_wait_s)
                self._connection.text_factory = bytes  # a value that is no longer one fails its checksum, and no more
                self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_WAIT_MS}")
            except InputError as error:
                self._give_up(error)
        return self._connection

    def _flush_when_due(self) -> None:
        """After so many records or so long: a run that gets an answer a minute writes each at once."""
        now_s = time.monotonic()
        n = len(self._waiting) + len(self._used)
        if now_s >= self._flush_at_s or (n % FLUSH_RECORDS == 0 and n):
            self.flush()

    def _write(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            day = today()
            for model in {waiting.model for waiting in self._waiting.values()} - self._models.keys():
                connection.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", (model,))
                found = connection.execute("SELECT id FROM models WHERE name = ?", (model,)).fetchone()
                self._models[model] = found[0]
            connection.executemany(
                _PUT,
                [
                    (key, self._models[waiting.model], day, day, _packed(key, waiting.value))
                    for key, waiting in self._waiting.items()
                ],
            )
            connection.executemany(_USED, [(day, number, day) for number in self._used])
            connection.execute("COMMIT")
        except BaseException:
            self._models.clear()
            if connection.in_transaction:  # SQLite ends it itself when the disk is full
                connection.execute("ROLLBACK")
            raise

    def _keep_nothing_more(self, error: InputError) -> None:
        """What is in the file is still found."""
        self._writable = False
        lost = f" {len(self._waiting):,} answers of this run are not kept for later ones." if self._waiting else ""
        self._waiting.clear()
        self._used.clear()
        self._say(f"{error}{lost} The run goes on.")

    def _give_up(self, error: InputError) -> None:
        self._usable = self._writable = False
        self._waiting.clear()
        self._disconnect()
        self._say(f"{error} The run goes on without it.")

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def today() -> int:
    """Days since 1970-01-01, in UTC."""
    return int(time.time() // SECONDS_PER_DAY)


def _packed(key: bytes, value: bytes) -> bytes:
    """The value as it lies in the file: a checksum over key and value (4 bytes), z or = (compressed or not), the value.

    SQLite has no checksums of its own: an answer that was not given must never come out of a disk that fails.
    """
    checksum = zlib.crc32(value, zlib.crc32(key)).to_bytes(4, "big")
    return checksum + (b"=" + value if len(value) < COMPRESS_FROM_BYTES else b"z" + zlib.compress(value, 1))


def _unpacked(key: bytes, kept: bytes) -> bytes | None:
    """The value again; None = it is not what was written."""
    try:
        value = zlib.decompress(kept[5:]) if kept[4:5] == b"z" else kept[5:]
    except zlib.error:
        return None
    return value if zlib.crc32(value, zlib.crc32(key)) == int.from_bytes(kept[:4], "big") else None
