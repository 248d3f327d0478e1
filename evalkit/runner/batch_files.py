"""Write the files of requests of a batch: one, or numbered ones where one would be larger than batches may be.

    requests.jsonl      or      requests-0001.jsonl, requests-0002.jsonl, ...

They hold prompts: each is its owner's alone (0600). They have their names only when all are whole.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from evalkit.core.errors import InputError, Place
from evalkit.store.disk import PRIVATE_FILE, disk_error, make_private_folder

MOST_LINES = 50_000
"""Requests in one file, as OpenAI's batches allow."""
MOST_BYTES = 200_000_000
"""Bytes of one file, as OpenAI's batches allow (200 MB)."""


def check_free(path: Path) -> None:
    """Raise InputError when a file of that name, or one of its numbered ones, is there already."""
    numbered = re.compile(f"{re.escape(path.stem)}-[0-9]+{re.escape(path.suffix)}")
    there = [entry for entry in path.parent.glob("*") if entry.name == path.name or numbered.fullmatch(entry.name)]
    if there:
        raise InputError("is there already: choose another --out, or delete it", Place(min(there)))


@dataclass
class BatchFiles:
    """`with BatchFiles(path) as files: files.append(line)`; `written` names them afterwards."""

    path: Path
    most_lines: int = MOST_LINES
    most_bytes: int = MOST_BYTES
    written: tuple[Path, ...] = ()
    """In order; none where no line was appended."""
    lines: int = 0
    """In all files."""
    _parts: list[Path] = field(default_factory=list)
    _stream: BinaryIO | None = None
    _lines_here: int = 0
    _bytes_here: int = 0

    def __enter__(self) -> Self:
        """Raises what `check_free` raises."""
        check_free(self.path)
        make_private_folder(self.path.parent)
        return self

    def append(self, line: bytes) -> None:
        """One line, newline included. Raises InputError when the disk refuses."""
        is_full = self._lines_here >= self.most_lines or self._bytes_here + len(line) > self.most_bytes
        try:
            if self._stream is None or (is_full and self._lines_here):
                self._begin()
            assert self._stream is not None
            self._stream.write(line)
        except OSError as error:
            raise disk_error(error, self.path, "written") from error
        self.lines += 1
        self._lines_here += 1
        self._bytes_here += len(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end()
            if kind is None:
                names = [self.path] if len(self._parts) == 1 else [self._numbered(n) for n in range(len(self._parts))]
                for part, name in zip(self._parts, names, strict=True):
                    os.replace(part, name)
                self.written = tuple(names)
        except OSError as refused:
            raise disk_error(refused, self.path, "written") from refused
        finally:
            for part in self._parts:
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._end()
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.{len(self._parts)}.part")
        self._parts.append(part)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._stream = open(os.open(part, flags, PRIVATE_FILE), "wb")  # noqa: SIM115 - closed by _end
        self._lines_here = self._bytes_here = 0

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._stream = None

    def _numbered(self, place: int) -> Path:
        return self.path.with_name(f"{self.path.stem}-{place + 1:04}{self.path.suffix}")
