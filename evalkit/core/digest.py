"""Digests: the identity of records and files.

A digest is the first 32 hex digits (128 bits) of SHA-256 over canonical JSON (keys sorted, no spaces, UTF-8), or over a
file's bytes. 128 bits keep two different records apart far beyond any number of samples that will ever be run.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

DIGEST_LENGTH = 32

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Strict JSON with sorted keys: equal values give equal bytes on every machine. Lone surrogates are kept as
    escapes.
    """
    return _CANONICAL.encode(value).encode("ascii")


def digest_of(value: Any) -> str:
    """Digest of a JSON-like value.

    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    return digest_of_bytes(canonical_json(value))


def digest_of_bytes(content: bytes) -> str:
    """Digest of bytes: of canonical JSON put together from its parts, say."""
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]


def digest_of_file(path: Path) -> str:
    """Digest of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:DIGEST_LENGTH]
