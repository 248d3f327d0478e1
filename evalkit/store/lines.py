"""One JSON line of a run's own files, written.

    {"key":{"task":"xstest","sample_id":"xstest-v2-1"},"text":"I cannot provide ...","finish_reason":"stop"}

Fields that hold their default are left out, so that lines stay short: a noun's defaults are thus part of the file
format, and a default that changes raises the number of the schema. Strict JSON: NaN and Infinity are not written. A
model can write half of a surrogate pair, which orjson refuses: such a line is written by the standard library, as an
escape (`\\ud800`), and comes back equal. Reading: core/json_line.py.
"""

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError

from evalkit.core.json_line import LineError, parse_line
from evalkit.core.noun import Noun

_REPLACEMENT = "\ufffd".encode()


def encode_line(record: Noun | Mapping[str, Any]) -> bytes:
    r"""The record as one whole line, newline included. NaN in an open field is written as null.

    >>> encode_line({"text": "naïve", "half": "\ud800"})
    b'{"text":"na\\u00efve","half":"\\ud800"}\n'
    """
    if isinstance(record, Noun):
        line = _encode_quickly(record)
        if line is not None:
            return line
    # Mode "python": pydantic's JSON mode replaces half surrogate pairs in the keys of open fields, without a word.
    value = record.model_dump(exclude_defaults=True, by_alias=True) if isinstance(record, Noun) else record
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # half a surrogate pair, an integer beyond 64 bits, a key that is no text
        text = json.dumps(_plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        return text.encode("ascii") + b"\n"


def _encode_quickly(record: Noun) -> bytes | None:
    """The line as pydantic writes it; None where it cannot, or may have replaced half of a surrogate pair."""
    try:
        line = record.__pydantic_serializer__.to_json(record, exclude_defaults=True, by_alias=True)
    except PydanticSerializationError:
        return None
    return None if _REPLACEMENT in line else line + b"\n"


def is_whole(line: bytes) -> bool:
    """Whether a line is a whole JSON object, as all we write are. A cut one never is: its last brace is missing."""
    try:
        return isinstance(parse_line(line), dict)
    except LineError:
        return False


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
