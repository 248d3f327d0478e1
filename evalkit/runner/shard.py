"""One of N disjoint parts of a suite's samples, for runs that are spread over several jobs: `--shard 3/8`.

A digest of the task and of the sample's cluster (its id where it has none) decides, so a sample's shard depends on
nothing else: not on its place, the filter or the other samples. Shards are of about equal size, not of exactly equal.
"""

import hashlib
import re
from dataclasses import dataclass

from evalkit.core.errors import InputError
from evalkit.core.sample import Sample

_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Shard:
    """The `part`-th of `parts` shards, counted from 1."""

    part: int
    parts: int

    def __str__(self) -> str:
        """As it is given and written down: `3/8`."""
        return f"{self.part}/{self.parts}"

    def holds(self, task: str, sample: Sample) -> bool:
        """Whether a sample of a task belongs to this shard.

        >>> sample = Sample(id="q1", input="2 + 2?")
        >>> [part for part in range(1, 9) if Shard(part, 8).holds("sums", sample)]
        [3]
        """
        # The rule is a part of the file format: shards of one run may be made by different releases.
        named = f"{len(task)}:{task}{sample.cluster_id}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(named).digest()[:8], "big") % self.parts == self.part - 1


def read_shard(text: str) -> Shard:
    """The shard that `K/N` names. Raises InputError for anything but 1 <= K <= N.

    >>> read_shard("3/8")
    Shard(part=3, parts=8)
    """
    written = _WRITTEN.fullmatch(text)
    part, parts = (int(number) for number in written.groups()) if written else (0, 0)
    if not 1 <= part <= parts:
        raise InputError(
            f'--shard "{text}": expected K/N with K from 1 to N, such as 3/8 for the third of eight shards'
        )
    return Shard(part, parts)
