"""Rows of a CSV file. Every cell is text: the answers "None", "NA" and "007" and the language "na" stay what they are.

The standard library reads them: it guesses no types, and knows every row's line even when cells span several lines.
"""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evalkit.core.errors import InputError, Place

LARGEST_CELL = 2**31 - 1
"""Characters. Python's own limit, 131,072, is shorter than long prompts are."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def csv_rows(file: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """(Line on which the row begins, row) of `.csv` or `.csv.gz` in UTF-8 with a header. An empty cell is None.

    Raises InputError with the line for a cell too many or too few, a broken quote, and bytes that are not UTF-8.
    """
    csv.field_size_limit(LARGEST_CELL)
    begins = 1
    try:
        with _opened(file) as stream:
            reader = csv.reader(_lines(stream, file), strict=True)
            header = next(reader, [])
            _check_header(header, file)
            begins = reader.line_num + 1
            for cells in reader:
                if cells:
                    yield begins, _row(header, cells, Place(file, begins))
                begins = reader.line_num + 1
    except csv.Error as error:
        mend = "Close every quote, and write a quote inside one twice."
        raise InputError(f"this is not CSV: {error}. {mend}", Place(file, begins)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"the gzip data is damaged: {error}. Copy the file again.", Place(file, begins)) from None


@contextmanager
def _opened(file: Path) -> Iterator[Iterable[bytes]]:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", Place(file)) from None
    with stream:
        if file.suffix == ".gz":
            with gzip.open(stream, "rb") as unpacked:
                yield unpacked
        else:
            yield stream


def _lines(stream: Iterable[bytes], file: Path) -> Iterator[str]:
    """Decoded line by line, so that the line of a wrong byte is known."""
    for number, line in enumerate(stream, start=1):
        try:
            yield (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).decode("utf-8")
        except UnicodeDecodeError:
            raise InputError("this line is not UTF-8: save the file as UTF-8", Place(file, number)) from None


def _check_header(header: list[str], file: Path) -> None:
    if not header:
        raise InputError("the file is empty; expected a header and rows", Place(file, 1))
    for name in header:
        if not name or header.count(name) > 1:
            what = f'column "{name}" is in the header twice' if name else "a column has no name in the header"
            raise InputError(what, Place(file, 1))


def _row(header: list[str], cells: list[str], place: Place) -> dict[str, str | None]:
    if len(cells) != len(header):
        mend = "Put a cell that holds a comma in quotes."
        raise InputError(f"this row has {len(cells)} cells, the header has {len(header)}. {mend}", place)
    return {name: cell or None for name, cell in zip(header, cells, strict=True)}
