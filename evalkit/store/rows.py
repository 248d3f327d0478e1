"""Rows of somebody else's JSON lines, plain or gzip: (line number, object), with file:line:column for what is wrong."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import jsonlines

from evalkit.core.errors import InputError, Place
from evalkit.core.json_line import LineError, parse_line
from evalkit.store.disk import disk_error

GZIP_MAGIC = b"\x1f\x8b"


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Stream (line number from 1, object) of `.jsonl` or `.jsonl.gz`; blank lines are skipped.

    Raises InputError with the place for a file that cannot be read, a line that is no JSON object, and gzip cut short.
    """
    with _opened(path) as stream:
        lines = _CountedLines(path, stream)
        with jsonlines.Reader(lines, loads=parse_line) as reader:
            try:
                for row in reader.iter(type=dict, skip_empty=True):
                    yield lines.number, row
            except jsonlines.InvalidLineError as error:
                raise _bad_row(error, path) from error


class _CountedLines:
    """The lines of a stream, with the number of the one given last: jsonlines tells it only when a line is bad."""

    def __init__(self, path: Path, stream: IO[bytes]):
        self.number = 0
        self._path = path
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            for line in self._stream:
                self.number += 1
                yield line
        except EOFError as error:
            raise self._damaged("its gzip data ends too early") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise self._damaged(f"its gzip data is damaged ({error})") from error
        except OSError as error:
            raise disk_error(error, self._path, "read") from error

    def _damaged(self, reason: str) -> InputError:
        return InputError(f"{reason}. Copy or download the file again.", Place(self._path, self.number + 1))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's text as bytes. What its first bytes say counts, except that a file named `.gz` must be gzip."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise disk_error(error, path, "read") from error
    with stream:
        try:
            is_gzip = stream.peek(2)[:2] == GZIP_MAGIC
        except OSError as error:
            raise disk_error(error, path, "read") from error
        if path.suffix == ".gz" and not is_gzip:
            raise InputError("is named .gz but is not gzip. Pack it with gzip, or take .gz from its name.", Place(path))
        if is_gzip:
            with gzip.open(stream, "rb") as unpacked:
                yield cast("IO[bytes]", unpacked)
        else:
            yield stream


def _bad_row(error: jsonlines.InvalidLineError, path: Path) -> InputError:
    cause = error.__cause__
    if isinstance(cause, LineError):
        return InputError(f"not JSON: {cause.reason}. {_mend(error.line)}", Place(path, error.lineno, cause.column))
    if isinstance(cause, UnicodeDecodeError):
        column = len(cause.object[: cause.start].decode("utf-8")) + 1
        byte = cause.object[cause.start]
        return InputError(f"byte 0x{byte:02x} is not UTF-8. Save the file as UTF-8.", Place(path, error.lineno, column))
    found = error.line.strip()[:40]
    return InputError(f"each line is one JSON object, {{...}}; found {found!r}.", Place(path, error.lineno, 1))


def _mend(line: str | bytes) -> str:
    if str(line).lstrip().startswith("["):
        return "Each line is one JSON object; a file that is one JSON array is not JSON lines."
    return "Each line is one whole JSON object."
