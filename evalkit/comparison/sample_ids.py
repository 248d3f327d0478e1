"""Sample ids, packed: a million of them in the bytes of their letters and eight more each."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload


class SampleIds(Sequence[str]):
    """A sequence of ids in their order.

    >>> ids = SampleIds(["q1@en", "q1@ar"])
    >>> ids[1], len(ids), ids == SampleIds(["q1@en", "q1@ar"])
    ('q1@ar', 2, True)
    """

    def __init__(self, ids: Iterable[str] = ()):
        self._letters = bytearray()
        self._ends = array("Q")
        for sample_id in ids:
            self.append(sample_id)

    def append(self, sample_id: str) -> None:
        """One more id at the end."""
        self._letters += sample_id.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._letters))

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "SampleIds": ...
    def __getitem__(self, place: int | slice) -> "str | SampleIds":
        """The id at a place; a slice of ids."""
        if isinstance(place, slice):
            return SampleIds(self[at] for at in range(*place.indices(len(self))))
        at = range(len(self))[place]
        start = self._ends[at - 1] if at else 0
        return self._letters[start : self._ends[at]].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in self._ends:
            yield self._letters[start:end].decode("utf-8", "surrogatepass")
            start = end

    def __eq__(self, other: object) -> bool:
        """The same ids in the same order."""
        if not isinstance(other, SampleIds):
            return NotImplemented
        return self._ends == other._ends and self._letters == other._letters

    __hash__ = None  # type: ignore[assignment]  # it can be appended to
