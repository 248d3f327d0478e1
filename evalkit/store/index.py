"""Find a record by what it is about: packed arrays from a 16-byte key digest (keys.py) to the offset of its last line.

24 bytes a record: a million responses are found through 24 MB, without a Python object for any of them. An index is
built by streaming the file once, lives in memory, and takes in what is appended afterwards.
"""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.core.errors import InputError, Place
from evalkit.store.keys import finished_key_of, response_key_of, score_key_of
from evalkit.store.records import N, RecordReader, line_number_at, read_rows_as_written

RECENT_LIMIT = 65_536
"""Entries taken in one by one before they are packed: about 10 MB of Python objects."""

_HALVES = struct.Struct("<QQ")

DigestOf = Callable[[Mapping[str, Any]], bytes | None]
"""The key digest of a line as written; None = the line is not indexed."""


class DigestIndex:
    """Key digest -> offset of the last line that has it.

    >>> index = DigestIndex([(b"a" * 16, 0), (b"b" * 16, 90), (b"a" * 16, 180)])
    >>> index.offset(b"a" * 16), index.offset(b"c" * 16), len(index)
    (180, None, 2)
    """

    def __init__(self, entries: Iterable[tuple[bytes, int]] = ()):
        """Pack (digest, offset) entries in the order of their lines; they are streamed."""
        high, low, offsets = array("Q"), array("Q"), array("Q")
        for digest, offset in entries:
            first, second = _HALVES.unpack(digest)
            high.append(first)
            low.append(second)
            offsets.append(offset)
        self._recent: dict[bytes, int] = {}
        self._pack(*(np.frombuffer(column, dtype=np.uint64) for column in (high, low, offsets)))

    def add(self, digest: bytes, offset: int) -> None:
        """Take in a line that was appended."""
        self._recent[digest] = offset
        if len(self._recent) >= RECENT_LIMIT:
            self._take_in_recent()

    def offset(self, digest: bytes) -> int | None:
        """The offset of the last line with this digest; None = there is none."""
        recent = self._recent.get(digest)
        if recent is not None:
            return recent
        high, low = _HALVES.unpack(digest)
        at = bisect_left(self._high_view, high)
        while at < len(self._high_view) and self._high_view[at] == high:
            if self._low_view[at] == low:
                return self._offset_view[at]
            at += 1
        return None

    def offsets(self) -> NDArray[np.uint64]:
        """The offsets of all last lines, in the order of the file."""
        self._take_in_recent()
        return np.sort(self._offset)

    def __contains__(self, digest: bytes) -> bool:
        """Whether a line has this digest."""
        return self.offset(digest) is not None

    def __len__(self) -> int:
        """Different digests."""
        self._take_in_recent()
        return len(self._offset)

    def _take_in_recent(self) -> None:
        if self._recent:
            recent = DigestIndex(self._recent.items())
            self._recent = {}
            self._pack(
                np.concatenate([self._high, recent._high]),
                np.concatenate([self._low, recent._low]),
                np.concatenate([self._offset, recent._offset]),
            )

    def _pack(self, high: NDArray[np.uint64], low: NDArray[np.uint64], offset: NDArray[np.uint64]) -> None:
        """Sort by digest and keep the last of equal ones: lexsort is stable, so the last is the latest line."""
        order = np.lexsort((low, high))
        high, low, offset = high[order], low[order], offset[order]
        is_last = np.ones(len(order), dtype=bool)
        is_last[:-1] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        self._high, self._low, self._offset = high[is_last], low[is_last], offset[is_last]
        # A memoryview gives a plain int in a tenth of the time in which an array gives a numpy scalar.
        self._high_view = memoryview(self._high.data)
        self._low_view = memoryview(self._low.data)
        self._offset_view = memoryview(self._offset.data)


def build_index(path: Path, digest_of: DigestOf) -> DigestIndex:
    """Index the lines of a file by a digest of each. A file that is not there has none."""
    return DigestIndex(_entries(path, digest_of))


def index_responses(path: Path) -> DigestIndex:
    """`key_digest(key, judge_key)` -> the last response to it."""
    return build_index(path, response_key_of)


def index_finished(path: Path) -> DigestIndex:
    """`key_digest(key, judge_key, request_digest)` -> its last response. Failures of the system are not finished."""
    return build_index(path, finished_key_of)


def index_scores(path: Path) -> DigestIndex:
    """`score_key_digest(key, scorer, scorer_digest, response_digests)` -> the last score."""
    return build_index(path, score_key_of)


def read_last(path: Path, model: type[N], digest_of: DigestOf) -> Iterator[tuple[int, N]]:
    """Stream (offset, record) of the last line of each digest, in the order of the file."""
    offsets = build_index(path, digest_of).offsets()
    if not len(offsets):
        return
    with RecordReader(path, model) as reader:
        for offset in memoryview(offsets.data):
            yield offset, reader.at(offset)


def _entries(path: Path, digest_of: DigestOf) -> Iterator[tuple[bytes, int]]:
    for offset, record in read_rows_as_written(path):
        try:
            digest = digest_of(record)
        except (KeyError, TypeError, AttributeError) as error:
            reason = (
                f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else "a part of its key has a wrong type"
            )
            place = Place(path, line_number_at(path, offset))
            raise InputError(f"{reason}. Was this line edited, or written by a newer evalkit?", place) from error
        if digest is not None:
            yield digest, offset
