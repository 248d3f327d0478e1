"""One JSON line: bytes to a value and back.

    {"key":{"task":"xstest","sample_id":"xstest-v2-1"},"text":"I cannot provide ...","finish_reason":"stop"}

Fields that hold their default are left out, so that lines stay short: a noun's defaults are thus part of the file
format, and a default that changes raises the number of the schema. Strict JSON: NaN and Infinity are neither read nor
written. A model can write half of a surrogate pair; orjson refuses it on both sides, so such a line goes through the
standard library, as an escape (`\\ud800`), and comes back equal.
"""

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any, NoReturn

import orjson

from evalkit.core.noun import Noun


class LineError(ValueError):
    """A line that is no JSON; `column` counts characters from 1."""

    def __init__(self, reason: str, column: int):
        super().__init__(reason)
        self.reason = reason
        self.column = column


def encode_line(record: Noun | Mapping[str, Any]) -> bytes:
    r"""The record as one whole line, newline included. NaN in an open field is written as null.

    >>> encode_line({"text": "naïve", "half": "\ud800"})
    b'{"text":"na\\u00efve","half":"\\ud800"}\n'
    """
    # Mode "python": pydantic's JSON mode replaces half surrogate pairs in the keys of open fields, without a word.
    value = record.model_dump(exclude_defaults=True, by_alias=True) if isinstance(record, Noun) else record
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # half a surrogate pair, an integer beyond 64 bits, a key that is no text
        text = json.dumps(_plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        return text.encode("ascii") + b"\n"


def parse_line(line: bytes | str) -> Any:
    """The value of one line. Raises LineError with the column for what is no strict JSON or no UTF-8.

    >>> parse_line('{"text": "half: \\\\ud800"}')
    {'text': 'half: \\ud800'}
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _parse_slowly(line)


def is_whole(line: bytes) -> bool:
    """Whether a line is a whole JSON object, as all we write are. A cut one never is: its last brace is missing."""
    try:
        return isinstance(parse_line(line), dict)
    except LineError:
        return False


def _parse_slowly(line: bytes | str) -> Any:
    text = _decoded(line) if isinstance(line, bytes) else line
    try:
        return json.loads(text.rstrip("\r\n"), parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise LineError(error.msg, error.pos + 1) from None
    except RecursionError:
        raise LineError("nested too deeply", 1) from None
    except ValueError as error:  # of the two functions below, or an integer of thousands of digits
        raise LineError(str(error), 1) from None


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


def _plain(value: Any) -> Any:
    """The same value in the types of the standard library's JSON, in the forms in which orjson writes them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date):  # a datetime is a date too
        return value.isoformat()
    return str(value) if isinstance(value, PurePath) else value
