"""Where in a file each recorded answer of one system stands.

    RecordedAnswers(path, "llama2new").find("xstest-v2-1", attempt=0)  ->  RecordedAnswer(text="To stop ...", ...)

The texts stay in the file: memory holds 16 bytes (a hash and a byte offset) for each answer of that system.
"""

from array import array
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NoReturn

import numpy
from numpy.typing import NDArray

from evalkit.core.errors import InputError, Place, nearest_name
from evalkit.core.json_line import parse_object
from evalkit.core.response import Usage
from evalkit.engines.recorded_rows import identity_of, open_rows, usage_of

SYSTEMS_SHOWN = 20
"""As many names as a person still reads in one error."""


@dataclass(frozen=True)
class RecordedAnswer:
    """One answer as it was recorded."""

    text: Any
    """What the row holds as `text`; None = nothing recorded, and what is no str is no answer."""
    usage: Usage
    offset: int
    """Byte offset of its row: `place_at` makes a line number of it."""


class RecordedAnswers:
    """The answers of one system in one file.

    Making it reads and checks the whole file. Raises InputError for a file that cannot be read, a bad row
    (file:line[:column]), an answer that is there twice (both lines), and a system that is not in the file.
    """

    def __init__(self, path: Path, system: str):
        self._path = path
        self._system = system
        self._stream = open_rows(path)
        try:
            hashes_N, offsets_N = self._scan()
            order_N = numpy.argsort(hashes_N, kind="stable")
            self._hashes_N, self._offsets_N = hashes_N[order_N], offsets_N[order_N]
            self._refuse_doubles()
        except BaseException:
            self._stream.close()
            raise

    def __len__(self) -> int:
        """How many answers the system has."""
        return len(self._offsets_N)

    def find(self, item_id: str, attempt: int) -> RecordedAnswer | None:
        """The answer to one attempt at one sample; None = not recorded."""
        wanted = numpy.uint64(_hash(item_id, attempt))
        first = int(numpy.searchsorted(self._hashes_N, wanted, side="left"))
        last = int(numpy.searchsorted(self._hashes_N, wanted, side="right"))
        # Two ids may share a hash, so each row found is asked for its own.
        for offset in self._offsets_N[first:last].tolist():
            row = self._row_at(offset)
            if (row["item_id"], row.get("attempt") or 0) == (item_id, attempt):
                return RecordedAnswer(row.get("text"), usage_of(row, Place(self._path)), offset)
        return None

    def place_at(self, offset: int) -> Place:
        """File and line of the row at a byte offset. Counted from the file's start, so for errors only."""
        self._stream.seek(0)
        number = 1
        for line in self._stream:
            offset -= len(line)
            if offset < 0:
                break
            number += 1
        return Place(self._path, number)

    def close(self) -> None:
        """Close the file, and drop the unpacked copy of a .gz."""
        self._stream.close()

    def _scan(self) -> tuple[NDArray[numpy.uint64], NDArray[numpy.int64]]:
        """Read and check every row: hashes and byte offsets of the system's, shape (N,) each, in file order."""
        hashes, offsets = array("Q"), array("q")
        systems: set[str] = set()
        offset = 0
        for number, line in enumerate(self._stream, start=1):
            if line.strip():
                place = Place(self._path, number)
                row = parse_object(line, self._path, number)
                item_id, system, attempt = identity_of(row, place)
                systems.add(system)
                if system == self._system:
                    usage_of(row, place)
                    hashes.append(_hash(item_id, attempt))
                    offsets.append(offset)
            offset += len(line)
        if self._system not in systems:
            self._refuse_system(systems)
        return numpy.array(hashes, dtype=numpy.uint64), numpy.array(offsets, dtype=numpy.int64)

    def _refuse_doubles(self) -> None:
        """Equal hashes stand side by side, in the file's order; unless two ids share one, it is one answer twice."""
        for position in numpy.flatnonzero(self._hashes_N[1:] == self._hashes_N[:-1]).tolist():
            earlier, later = self._offsets_N[position : position + 2].tolist()
            first, second = self._row_at(earlier), self._row_at(later)
            attempt = second.get("attempt") or 0
            if (first["item_id"], first.get("attempt") or 0) == (second["item_id"], attempt):
                who = f'item "{second["item_id"]}", system "{self._system}", attempt {attempt}'
                line = self.place_at(earlier).line
                mend = "Keep one of the two, or number them with `attempt`."
                raise InputError(f"{who} has an answer on line {line} already. {mend}", self.place_at(later))

    def _row_at(self, offset: int) -> dict[str, Any]:
        self._stream.seek(offset)
        return parse_object(self._stream.readline(), self._path, None)

    def _refuse_system(self, systems: set[str]) -> NoReturn:
        place = Place(self._path)
        if not systems:
            raise InputError("holds no answers. Expected JSON lines with item_id, system and text.", place)
        near = nearest_name(self._system, systems)
        wrong = f'system "{self._system}" has no answers here.' if self._system else "no system is named."
        guess = f' Did you mean "{near}"?' if near else ""
        more = f" and {len(systems) - SYSTEMS_SHOWN} more" if len(systems) > SYSTEMS_SHOWN else ""
        listed = ", ".join(sorted(systems)[:SYSTEMS_SHOWN]) + more
        raise InputError(f"{wrong}{guess} Systems in this file: {listed}. Write replay:FILE#SYSTEM.", place)


def _hash(item_id: str, attempt: int) -> int:
    content = f"{attempt}\0{item_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big")
