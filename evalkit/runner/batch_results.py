"""The results of a batch on disk, found by the request they answer: output and error files, in any order.

All files are looked through before anything is taken from them, so that a wrong file changes nothing. Memory holds 24
bytes a line; the lines stay on disk.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from evalkit.core.errors import InputError, Place
from evalkit.core.json_line import parse_object
from evalkit.runner.batch_ids import read_custom_id
from evalkit.store.disk import disk_error
from evalkit.store.index import DigestIndex


class BatchResults:
    """`with BatchResults(files, mark) as results: results.of(request_mark)`.

    Of several lines about one request the last one with an answer counts, else the last.
    """

    def __init__(self, files: Sequence[Path], mark: str):
        """files: read when entered. mark: the run's, whose results these are."""
        self._files = tuple(files)
        self._mark = mark
        self._stack = ExitStack()
        self._streams: list[BinaryIO] = []
        self._starts: list[int] = []
        """Of each file, where it begins when all are read as one."""
        self._answered, self._failed = DigestIndex(), DigestIndex()
        self.requests = 0
        """How many different requests the lines are about."""
        self.unknown = 0
        """Lines whose custom_id no evalkit gave."""
        self.repeated = 0
        """Lines about a request that an earlier line is about."""
        self.torn: tuple[Path, ...] = ()
        """Files that were cut off in their last line."""

    def __enter__(self) -> Self:
        """Raises InputError with file:line for what is no result of a batch, or one of another run."""
        try:
            for file in self._files:
                self._look_through(file)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def of(self, request_mark: bytes) -> dict[str, Any] | None:
        """The line about a request; None = there is none."""
        start = self._answered.offset(request_mark)
        start = self._failed.offset(request_mark) if start is None else start
        if start is None:
            return None
        number = bisect_right(self._starts, start) - 1
        stream = self._streams[number]
        stream.seek(start - self._starts[number])
        return parse_object(stream.readline(), self._files[number], None)

    def _look_through(self, file: Path) -> None:
        try:
            stream = self._stack.enter_context(file.open("rb"))
        except OSError as error:
            raise disk_error(error, file, "read") from error
        self._streams.append(stream)
        begin = self._starts[-1] + self._streams[-2].seek(0, 2) if len(self._streams) > 1 else 0
        self._starts.append(begin)
        for number, start, line in _lines(stream):
            try:
                row = parse_object(line, file, number)
            except InputError:
                if line.endswith(b"\n"):
                    raise
                self.torn = (*self.torn, file)  # a download that was cut off; a whole line stands even without its end
                return
            self._take_in(row, begin + start, Place(file, number))

    def _take_in(self, row: dict[str, Any], start: int, place: Place) -> None:
        written = row.get("custom_id")
        if not isinstance(written, str) or not ("response" in row or "error" in row):
            raise InputError(
                "is no result of a batch: expected `custom_id`, and `response` or `error`. Is it the batch's output or "
                "error file?",
                place,
            )
        named = read_custom_id(written)
        if named is None:
            self.unknown += 1
            return
        mark, request_mark = named
        if mark != self._mark:
            raise InputError(
                f"is the result of another run's request ({written}; this run's begin with evalkit-{self._mark}-): "
                "import it into the run that it was exported from",
                place,
            )
        if request_mark in self._answered or request_mark in self._failed:
            self.repeated += 1
        else:
            self.requests += 1
        (self._answered if _is_answer(row) else self._failed).add(request_mark, start)


def _is_answer(row: dict[str, Any]) -> bool:
    response = row.get("response")
    return isinstance(response, dict) and response.get("status_code") == 200


def _lines(stream: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """(number from 1, byte at which it begins, line) of every line that is not blank."""
    start = 0
    for number, line in enumerate(stream, start=1):
        if not line.isspace():
            yield number, start, line
        start += len(line)
