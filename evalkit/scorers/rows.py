"""Read somebody's JSON lines (`.gz` too) row by row, with file:line:column for what is wrong.

Enough for scorers to look up recorded labels and verdicts; files of a run are the store's.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from evalkit.core.errors import InputError, Place, nearest_name
from evalkit.core.json_line import parse_object

_GZIP_MAGIC = b"\x1f\x8b"


def find_rows_file(name: str, folders: Iterable[Path], place: Place | None) -> Path:
    """A file by absolute path or in the first folder that holds it. Raises InputError naming the folders searched."""
    searched = list(folders)
    for folder in searched:
        if (folder / name).is_file():
            return folder / name
    beside = [entry.name for folder in searched if folder.is_dir() for entry in folder.iterdir() if entry.is_file()]
    near = nearest_name(name, beside)
    guess = f' Did you mean "{near}"?' if near else ""
    where = " or in ".join(f'"{folder}"' for folder in searched)
    raise InputError(
        f'file "{name}" is not in {where}.{guess} Put it there, or name its folder with `--data FOLDER`.', place
    )


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Stream (line number from 1, object); blank lines are skipped.

    Raises InputError for a file that cannot be read, gzip cut short, bytes that are no UTF-8, and a line that is no
    JSON object.
    """
    number = 0
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(_unpacked(stream), start=1):
                if line.strip():
                    yield number, parse_object(line, path, number)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"its gzip data is damaged ({error}). Copy or download the file again."
        raise InputError(message, Place(path, number + 1)) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", Place(path)) from error


def text_field(row: dict[str, Any], name: str, path: Path, line: int) -> str:
    """A field that must be there as text. Raises InputError at the line."""
    value = row.get(name)
    if not isinstance(value, str):
        found = f"it is {value!r}" if name in row else "it is missing"
        raise InputError(f"field `{name}` must be a text; {found}", Place(path, line))
    return value


def optional_text_field(row: dict[str, Any], name: str, path: Path, line: int) -> str | None:
    """A field that is a text, or null, or absent. Raises InputError at the line."""
    return None if row.get(name) is None else text_field(row, name, path, line)


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    """What the first bytes say counts, not the name."""
    is_gzip = stream.read(2) == _GZIP_MAGIC
    stream.seek(0)
    return cast("IO[bytes]", gzip.open(stream, "rb")) if is_gzip else stream
