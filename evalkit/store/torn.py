"""The torn last line: what a kill or a power failure leaves at the end of a file that was being appended to.

A record is written as one whole line, so a file whose writer was killed ends in whole lines and at most one piece of a
line. The piece was never finished: it is cut away before the next record is appended, and whoever cuts says how much. A
last line that is whole but for its newline was finished, and is kept. A bad line elsewhere is an error: the file is
damaged.
"""

import os
from pathlib import Path

from evalkit.store.disk import disk_error
from evalkit.store.lines import is_whole

BLOCK_BYTES = 65_536


def mend_torn_tail(path: Path) -> int:
    """Cut a torn last line away. The bytes cut; 0 = the file was whole, or is not there.

    Only whoever holds the run's lock may call this: another pass may be in the middle of its line.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise disk_error(error, path, "mended") from error
    try:
        return mend_descriptor(descriptor)
    except OSError as error:
        raise disk_error(error, path, "mended") from error
    finally:
        os.close(descriptor)


def mend_descriptor(descriptor: int) -> int:
    """The same, on a file opened for reading and appending. May raise OSError."""
    size = os.fstat(descriptor).st_size
    start = last_line_start(descriptor, size)
    line = _read(descriptor, start, size)
    if _may_stay(line):
        if not line.endswith(b"\n"):
            os.write(descriptor, b"\n")
        return 0
    if line:
        os.ftruncate(descriptor, start)
        os.fsync(descriptor)
    return size - start


def _may_stay(line: bytes) -> bool:
    return is_whole(line) or (line.endswith(b"\n") and line.isspace())


def last_line_start(descriptor: int, size: int) -> int:
    """Where the last line begins, whether or not it ends in a newline; 0 for a file of one line or none."""
    end = size - 1  # a newline at the very end belongs to the last line
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        newline = _read(descriptor, start, end).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _read(descriptor: int, start: int, end: int) -> bytes:
    """The bytes from start to end; a single read may return fewer than it is asked for."""
    pieces = []
    while start < end and (piece := os.pread(descriptor, end - start, start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
