"""Append one file of JSON lines to another, byte for byte: the way records go from one run directory to another."""

import os
import shutil
from pathlib import Path

from evalkit.store.disk import PRIVATE_FILE, disk_error, make_private_folder
from evalkit.store.torn import mend_descriptor


def append_lines(source: Path, target: Path) -> None:
    """Append the whole lines of a file; a torn last one is left out. A source that is not there has none.

    The caller holds the lock of the target's folder. Raises InputError when the disk refuses.
    """
    try:
        stream = source.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(error, source, "read") from error
    make_private_folder(target.parent)
    try:
        with stream, open(_opened(target), "r+b", buffering=0) as appended:
            appended.seek(0, os.SEEK_END)
            shutil.copyfileobj(stream, appended, 1 << 20)
            mend_descriptor(appended.fileno())
            os.fsync(appended.fileno())
    except OSError as error:
        raise disk_error(error, target, "written") from error


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
