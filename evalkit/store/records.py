"""Append-only JSON lines: `responses.jsonl`, `scores.jsonl` and their like, written and read record by record.

A kill at any byte leaves whole lines and at most one torn one (see torn.py). The writer cuts that away when it opens a
file; readers, who hold no lock, end before it. A file that is not there holds no records: its pass has not begun.
Where a record lies is told by its offset, the byte at which its line begins (see index.py).
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from pydantic import ValidationError

from evalkit.core.errors import InputError, Place
from evalkit.core.json_line import LineError, parse_line
from evalkit.core.noun import Noun
from evalkit.store.disk import PRIVATE_FILE, disk_error, make_private_folder, sync_folder
from evalkit.store.lines import encode_line
from evalkit.store.torn import mend_descriptor

N = TypeVar("N", bound=Noun)
T = TypeVar("T")

SYNC_EVERY_S = 1.0
SYNC_EVERY_RECORDS = 1000
BLOCK_RECORDS = 500
COUNTED_BYTES = 1 << 20


class RecordWriter:
    """Appends records to one file. The caller holds the run's lock, and closes (or uses `with`).

    Each record is one write of one whole line, handed to the system at once: it outlives a kill of this process. It
    outlives a power failure from the next sync on: after a second, a thousand records, `sync()` or `close()`.
    """

    cut_bytes: int
    """Bytes of a torn last line that were cut away on opening: to be said when not 0."""

    def __init__(self, path: Path):
        """Open; a missing file or folder is made, for its owner alone. Raises InputError when the disk refuses."""
        self.path = path
        make_private_folder(path.parent)
        self._descriptor, self.cut_bytes = _open_for_appending(path)
        self._closed = False
        self._unsynced_records = 0
        self._synced_at_s = time.monotonic()

    def append(self, record: Noun | Mapping[str, Any]) -> int:
        """Write one record; its offset. Raises InputError when the disk refuses: the lines before stay whole."""
        offset = self._write(encode_line(record))
        self._unsynced_records += 1
        is_due = self._unsynced_records >= SYNC_EVERY_RECORDS or time.monotonic() - self._synced_at_s >= SYNC_EVERY_S
        if is_due:
            self.sync()
        return offset

    def append_all(self, records: Iterable[Noun | Mapping[str, Any]]) -> None:
        """Write several records in one go. Raises InputError when the disk refuses: whole lines at most are written."""
        lines = [encode_line(record) for record in records]
        self._write(b"".join(lines))
        self._unsynced_records += len(lines)
        if time.monotonic() - self._synced_at_s >= SYNC_EVERY_S or self._unsynced_records >= SYNC_EVERY_RECORDS:
            self.sync()

    def _write(self, lines: bytes) -> int:
        """Where they begin."""
        written = 0
        try:
            while written < len(lines):  # a full disk takes a part of a line before it refuses the rest
                written += os.write(self._descriptor, lines[written:] if written else lines)
        except OSError as error:
            self._drop_piece()
            raise disk_error(error, self.path, "written") from error
        except BaseException:  # Ctrl-C
            self._drop_piece()
            raise
        return os.lseek(self._descriptor, 0, os.SEEK_CUR) - len(lines)

    def _drop_piece(self) -> None:
        """Cut an unfinished line away: nothing may be written behind it. Failing that, the next opening mends it."""
        with suppress(OSError):
            mend_descriptor(self._descriptor)

    def sync(self) -> None:
        """Return when all that was appended lies on the disk itself."""
        if self._unsynced_records:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                raise disk_error(error, self.path, "written") from error
            self._unsynced_records = 0
        self._synced_at_s = time.monotonic()

    def close(self) -> None:
        """Sync and close; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self.sync()
        finally:
            os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class BlockWriter(RecordWriter):
    """Appends records many at a time: for what can be made again, as a plan and the scores of answers on file can."""

    def __init__(self, path: Path):
        """As a RecordWriter's."""
        super().__init__(path)
        self._block: list[bytes] = []

    def append(self, record: Noun | Mapping[str, Any]) -> int:
        """Take a record in; 0, since it has no place yet.

        It is on file after so many more, with the next one a second later, or after `close()`.
        """
        self._block.append(encode_line(record))
        if len(self._block) >= BLOCK_RECORDS or time.monotonic() - self._synced_at_s >= SYNC_EVERY_S:
            self._write_block()
            self.sync()
        return 0

    def close(self) -> None:
        """Write what is left, sync and close."""
        if not self._closed:
            self._write_block()
        super().close()

    def _write_block(self) -> None:
        if self._block:
            self._write(b"".join(self._block))
            self._unsynced_records += len(self._block)
            self._block = []


def _open_for_appending(path: Path) -> tuple[int, int]:
    """The open file, mended, and how many bytes of a torn line that cost."""
    try:
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            cut_bytes = mend_descriptor(descriptor)
            if is_new:
                sync_folder(path.parent)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as error:
        raise disk_error(error, path, "written") from error
    return descriptor, cut_bytes


def read_records(path: Path, model: type[N]) -> Iterator[tuple[int, N]]:
    """Stream (offset, record) of every whole line, in order; a torn last line is not one.

    Raises InputError with file:line:column for a bad line elsewhere.
    """
    return _read(path, lambda line: _as_noun(line, model))


def read_rows_as_written(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Stream (offset, the line's object): unchecked, without its defaults, and several times faster; for indexes."""
    return _read(path, _as_object)


def count_records(path: Path) -> int:
    """How many whole lines a file holds; none where it is not there. Blank lines are not counted."""
    count = 0
    last = b"\n"
    try:
        with path.open("rb") as stream:
            while block := stream.read(COUNTED_BYTES):
                if b"\n\n" in last + block:
                    break  # somebody edited it: look at every line
                count += block.count(b"\n")
                last = block[-1:]
            else:
                if last == b"\n":
                    return count
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise disk_error(error, path, "read") from error
    return sum(1 for _ in read_rows_as_written(path))


class RecordReader(Generic[N]):
    """Reads single records by their offsets; keeps the file open. The caller closes (or uses `with`)."""

    def __init__(self, path: Path, model: type[N]):
        """Open. Raises InputError when the file cannot be read."""
        self.path = path
        self._model = model
        try:
            self._stream = path.open("rb")
        except OSError as error:
            raise disk_error(error, path, "read") from error

    def at(self, offset: int) -> N:
        """The record whose line begins at `offset`."""
        self._stream.seek(offset)
        line = self._stream.readline()
        try:
            return _as_noun(line, self._model)
        except (LineError, ValidationError) as error:
            raise bad_line(error, self.path, line_number_at(self.path, offset)) from error

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def read_at(path: Path, offset: int, model: type[N]) -> N:
    """One record by its offset; for many of them, keep a RecordReader."""
    with RecordReader(path, model) as reader:
        return reader.at(offset)


def line_number_at(path: Path, offset: int) -> int:
    """The number, from 1, of the line that begins at `offset`."""
    number = 1
    with path.open("rb") as stream:
        for line in stream:
            offset -= len(line)
            if offset < 0:
                break
            number += 1
    return number


def bad_line(error: LineError | ValidationError, path: Path, number: int) -> InputError:
    """The error for a line that is no JSON, or JSON of another form than its file holds."""
    if isinstance(error, LineError):
        mend = "Restore the file from a copy; of answers and scores this line may be deleted, and is then made again."
        return InputError(f"not a JSON object: {error.reason}. {mend}", Place(path, number, error.column))
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or error.title
    mend = f"Was this {error.title} edited, or written by a newer evalkit?"
    return InputError(f"`{field}`: {first['msg']}. {mend}", Place(path, number))


def _read(path: Path, parse: Callable[[bytes], T]) -> Iterator[tuple[int, T]]:
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(error, path, "read") from error
    offset = 0
    with stream:
        for number, line in enumerate(stream, start=1):
            if not line.isspace():
                try:
                    record = parse(line)
                except LineError as error:
                    if not line.endswith(b"\n") or not stream.peek(1):
                        return  # the torn last line
                    raise bad_line(error, path, number) from error
                except ValidationError as error:
                    raise bad_line(error, path, number) from error
                yield offset, record
            offset += len(line)


def _as_object(line: bytes) -> dict[str, Any]:
    value = parse_line(line)
    if not isinstance(value, dict):
        raise LineError(f"found {type(value).__name__}", 1)
    return value


def _as_noun(line: bytes, model: type[N]) -> N:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "json_invalid":
            raise
    # pydantic's parser refuses half surrogate pairs too; ours reads them, or knows the column.
    return model.model_validate(_as_object(line))
