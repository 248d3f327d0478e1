"""The weights of a local model: safetensors files, whole, and hashed once.

    weight_files(folder)  ->  [model-00001-of-00002.safetensors, model-00002-of-00002.safetensors]

A pickled checkpoint runs whatever code it holds when it is opened, so only safetensors are read.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evalkit.core.digest import digest_of, digest_of_file
from evalkit.core.errors import InputError, Place

_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_LONGEST_HEADER = 100 * 1024 * 1024
"""Bytes; the format's own limit."""

_hashed: dict[tuple[str, int, int], str] = {}
"""(path, size, time of change in ns) -> digest: several runs in one process read a model once."""


def weight_files(folder: Path) -> list[Path]:
    """The folder's safetensors, sorted. Raises InputError for a folder that has none."""
    found = sorted(folder.glob("*.safetensors"))
    if found:
        return found
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLED)
    if pickled:
        raise InputError(
            f"{pickled[0]} is pickled, and opening it would run what it holds: weights are safetensors only. Save the "
            "model again with safetensors (in transformers: model.save_pretrained).",
            Place(folder),
        )
    raise InputError("the folder holds no weights (*.safetensors). Name the folder that does.", Place(folder))


def check_whole(file: Path) -> None:
    """Raise InputError for a safetensors file that is torn or is none: its header says how long it is."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or not 0 < length <= min(_LONGEST_HEADER, size - 8):
            raise _torn(file, f"its header would be {length} bytes long, the file has {size}")
        try:
            header = json.loads(stream.read(length))
            ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, TypeError, LookupError, AttributeError):
            raise _torn(file, "its header cannot be read") from None
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise _torn(file, f"its header promises {expected} bytes, the file has {size}")


def _torn(file: Path, what: str) -> InputError:
    return InputError(f"the weights are no whole safetensors file: {what}. Copy or download it again.", Place(file))


def digest_of_files(files: Iterable[Path]) -> str:
    """Digest of the files' names and bytes; where they lie is no part of it. Read by several threads at once."""
    listed = sorted(files, key=lambda file: file.name)
    # hashlib lets other threads run while it works, so that disks and cores are both kept busy.
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return digest_of([[file.name, digest] for file, digest in zip(listed, pool.map(_digest, listed), strict=True)])


def digest_of_text(text: str) -> str:
    """Digest of a text's bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _digest(file: Path) -> str:
    known_as = file.resolve()
    try:
        status = known_as.stat()
        key = (str(known_as), status.st_size, status.st_mtime_ns)
        if key not in _hashed:
            _hashed[key] = digest_of_file(known_as)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}): is the model whole?", Place(file)) from None
    return _hashed[key]
