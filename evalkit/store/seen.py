"""Which texts were met before, in eight bytes each: a million of them in 8 MB.

Two texts have the same 64-bit digest by chance once in forty million sets of a million texts, so whoever is told that
one was met before looks whether it really was.
"""

import hashlib
from bisect import bisect_left

import numpy as np

DIGEST_BYTES = 8
RECENT_LIMIT = 65_536
"""Digests taken in one by one before they are packed: about 5 MB of Python objects."""


def digest_64(text: str) -> int:
    """64 bits of BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest())


class SeenTexts:
    """A set that only grows.

    >>> seen = SeenTexts()
    >>> [seen.add(text) for text in ("q1", "q2", "q1")], len(seen)
    ([True, True, False], 2)
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._packed = np.empty(0, dtype=np.uint64)
        self._view = memoryview(self._packed.data)

    def add(self, text: str) -> bool:
        """Take it in; False = it, or one with the same digest, was met before."""
        digest = digest_64(text)
        if digest in self._recent or self._is_packed(digest):
            return False
        self._recent.add(digest)
        if len(self._recent) >= RECENT_LIMIT:
            self._pack()
        return True

    def __len__(self) -> int:
        return len(self._recent) + len(self._packed)

    def _is_packed(self, digest: int) -> bool:
        at = bisect_left(self._view, digest)
        return at < len(self._view) and self._view[at] == digest

    def _pack(self) -> None:
        recent = np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent))
        self._packed = np.concatenate([self._packed, recent])
        self._packed.sort()
        self._view = memoryview(self._packed.data)
        self._recent = set()
