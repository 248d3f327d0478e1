"""Files on disk: for their owner alone, replaced whole, and with words for what the disk refuses."""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from evalkit.core.errors import InputError, Place
from evalkit.core.json_line import parse_line
from evalkit.store.lines import encode_line

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

KEPT = "Everything finished is kept; then start again."
MENDS = {
    errno.ENOSPC: f"Make room on its disk. {KEPT}",
    errno.EDQUOT: f"Make room in this user's quota. {KEPT}",
    errno.EFBIG: f"Raise the limit on the size of a file (ulimit -f). {KEPT}",
    errno.EIO: f"Its disk may be failing: choose a folder on another one. {KEPT}",
    errno.EROFS: "Its disk is mounted read-only: choose a folder on another one.",
    errno.EACCES: "Give this user access to it (ls -l shows who has it), or choose another folder.",
    errno.EPERM: "Give this user access to it (ls -l shows who has it), or choose another folder.",
    errno.ENOENT: "Check the path.",
    errno.EISDIR: "Name a file; this is a folder.",
    errno.ENOTDIR: "A part of this path is a file where a folder is needed.",
    errno.EEXIST: "A file stands where a folder is needed.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EMFILE: "Raise the number of files a process may open (ulimit -n).",
}


def disk_error(error: OSError, path: Path, doing: str) -> InputError:
    """What the disk refused, with the mend.

    >>> print(disk_error(OSError(errno.EISDIR, "Is a directory"), Path("runs/a"), "read"))
    runs/a: cannot be read: Is a directory. Name a file; this is a folder.
    """
    reason = error.strerror or str(error) or type(error).__name__
    mend = MENDS.get(error.errno or 0, "")
    return InputError(f"cannot be {doing}: {reason}. {mend}".rstrip(), Place(path))


def make_private_folder(folder: Path) -> None:
    """Make a folder and its missing parents, each for its owner alone; one that is there keeps its mode."""
    try:
        for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
            missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder, "made") from error


def sync_folder(folder: Path) -> None:
    """Make new names in a folder last through a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write a file whole: whoever reads `path`, at any moment, finds the old content or the new, never a part of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write_and_sync(part, content, mode)
        os.replace(part, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise disk_error(error, path, "written") from error


def _write_and_sync(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def write_document(path: Path, document: Mapping[str, Any], *, mode: int = PRIVATE_FILE) -> None:
    """Write a JSON document whole, indented for people."""
    plain = parse_line(encode_line(document))
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2)
    # Half a surrogate pair cannot be UTF-8; as an escape it can.
    replace_file(path, text.encode("utf-8", "backslashreplace") + b"\n", mode=mode)


def read_document(path: Path) -> dict[str, Any]:
    """Read a JSON document. Raises InputError with file:line:column when it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise disk_error(error, path, "read") from error
    except json.JSONDecodeError as error:
        place = Place(path, error.lineno, error.colno)
        raise InputError(f"not JSON: {error.msg}. Restore this file.", place) from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"not UTF-8: byte {error.start + 1} is 0x{byte:02x}. Restore this file.", Place(path)
        ) from error
    if not isinstance(document, dict):
        raise InputError("not a JSON object. Restore this file.", Place(path, 1, 1))
    return document
