"""Read one line of strict JSON: what every reader of JSON lines here shares.

    {"item_id": "xs-1", "system": "a", "text": "I cannot provide ..."}

NaN and Infinity are not read. A model can write half of a surrogate pair; orjson refuses it, so such a line goes
through the standard library, which also knows the column of what is wrong.
"""

import json
import math
from pathlib import Path
from typing import Any, NoReturn

import orjson

from evalkit.core.errors import InputError, Place

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineError(ValueError):
    """A line that is no JSON; `column` counts characters from 1."""

    def __init__(self, reason: str, column: int):
        super().__init__(reason)
        self.reason = reason
        self.column = column


def parse_line(line: bytes | str) -> Any:
    """The value of one line. Raises LineError with the column for what is no strict JSON or no UTF-8.

    >>> parse_line('{"text": "half: \\\\ud800"}')
    {'text': 'half: \\ud800'}
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _parse_slowly(line)


def parse_object(line: bytes | str, path: Path, number: int | None) -> dict[str, Any]:
    """One line of somebody's JSON lines as an object. Raises InputError with file:line:column."""
    try:
        value = parse_line(line.removeprefix(_BYTE_ORDER_MARK) if isinstance(line, bytes) else line)
    except LineError as error:
        reason = error.reason if " is not " in error.reason else f"not JSON: {error.reason}"
        message = f"{reason}. Each line is one whole JSON object, in UTF-8."
        raise InputError(message, Place(path, number, error.column)) from None
    if not isinstance(value, dict):
        raise InputError("each line must be one JSON object, {...}", Place(path, number, 1))
    return value


def _parse_slowly(line: bytes | str) -> Any:
    text = _decoded(line) if isinstance(line, bytes) else line
    try:
        return json.loads(text.rstrip("\r\n"), parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise LineError(error.msg.removesuffix(" at").removesuffix(" starting"), error.pos + 1) from None
    except RecursionError:
        raise LineError("nested too deeply", 1) from None
    except ValueError as error:  # of the two functions below, or an integer of thousands of digits
        # Both begin with the text they refuse. (It may stand in a string before: the place is then a little early.)
        raise LineError(str(error), text.find(str(error).split(" ")[0]) + 1 or 1) from None


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode("utf-8")) + 1
        raise LineError(f"byte 0x{line[error.start]:02x} is not UTF-8", column) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON: write null for a number that is missing")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is larger than a number can be")
    return number
