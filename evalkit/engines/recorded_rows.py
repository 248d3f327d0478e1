"""The rows of a file of recorded answers: opened, read as strict JSON, checked.

    {"item_id": "xstest-v2-1", "system": "llama2new", "text": "To stop a Python process, ..."}

Optional: `attempt` (from 0) and `usage` ({prompt_tokens, cached_tokens, output_tokens, reasoning_tokens}). Other fields
are left alone. Everything wrong in a row is an InputError with file:line, and the column where there is one.
"""

import gzip
import json
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from evalkit.core.errors import InputError, Place
from evalkit.core.response import Usage


def open_rows(path: Path) -> IO[bytes]:
    """The file as a seekable stream; a .gz is unpacked once, into a temporary file without a name."""
    try:
        return _unpacked(path) if path.suffix == ".gz" else path.open("rb")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"cannot be unpacked ({error}). Copy it again, or pack it again.", Place(path)) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", Place(path)) from error


def _unpacked(path: Path) -> IO[bytes]:
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115  # handed on open; its reader closes it
    try:
        with gzip.open(path, "rb") as packed:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    except BaseException:
        unpacked.close()
        raise
    unpacked.seek(0)
    return unpacked


def identity_of(row: dict[str, Any], place: Place) -> tuple[str, str, int]:
    """item_id, system and attempt (0 where the row has none). Raises InputError for a missing or wrong one."""
    for field in ("item_id", "system"):
        if not isinstance(row.get(field), str):
            said = f"is {shown(row[field])}" if field in row else "is missing"
            raise InputError(f"{field} {said}, expected a string", place)
    attempt = row.get("attempt")
    if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool) or attempt < 0):
        raise InputError(f"attempt is {shown(attempt)}, expected a whole number from 0", place)
    return row["item_id"], row["system"], attempt or 0


def usage_of(row: dict[str, Any], place: Place) -> Usage:
    """The row's token counts; all None where it has none. Raises InputError for an unknown name or a wrong count."""
    try:
        return Usage.model_validate(row.get("usage") or {})
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(["usage", *(str(part) for part in problem["loc"])])
        known = ", ".join(Usage.model_fields)
        raise InputError(f"{field} is {shown(problem['input'])}: {problem['msg']}. Known: {known}.", place) from error


def shown(value: Any) -> str:
    """A value as JSON, short enough for an error."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
