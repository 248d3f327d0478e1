"""One writer at a time: the kernel's lock on a file that says who holds it.

The kernel gives the lock back when the process ends, however it ends; the file stays, and means nothing by itself.
Readers need no lock.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evalkit.core.errors import InputError, Place
from evalkit.store.disk import PRIVATE_FILE, disk_error


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs. Raises InputError at once, naming the process, when another one has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise disk_error(error, path, "locked") from error
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)  # gives the lock back


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}) + "\n"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
    except BlockingIOError:
        raise InputError(f"this run is being written by {_holder(descriptor)}", Place(path)) from None
    except OSError as error:
        raise disk_error(error, path, "locked") from error


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        pid, host = int(holder["pid"]), str(holder["host"])
    except (ValueError, KeyError, TypeError):  # it has only just taken the lock
        return "another process. Wait until it ends, or stop it."
    there = "" if host == socket.gethostname() else f" on {host}"
    return f"process {pid}{there}. Wait until it ends, or stop it{there} (kill {pid}): everything finished is kept."
