"""One line per requirement, and the exit code that follows."""

import statistics
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A requirement and what was measured."""

    name: str
    measured: float | int | None
    """None = not measured; an int is a count."""
    at_least: float | None = None
    note: str = ""
    at_most: float | None = None
    """With neither limit the row is told, not required."""
    unit: str = ""

    @property
    def outcome(self) -> str:
        """`ok`, `short`, `not measured`, or `told` where nothing is required."""
        if self.measured is None:
            return "not measured"
        if self.at_least is None and self.at_most is None:
            return "told"
        enough = self.at_least is None or self.measured >= self.at_least
        return "ok" if enough and (self.at_most is None or self.measured <= self.at_most) else "short"

    @property
    def limit(self) -> str:
        """`>= 0.95`, `<= 2`, or `-`."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "-" if self.at_most is None else f"<= {self.at_most:g}"


def tell(rows: Iterable[Row]) -> None:
    """Print each row as it is measured; exit with 1 when one falls short."""
    short = False
    for row in rows:
        number = f"{row.measured:,}" if isinstance(row.measured, int) else f"{row.measured or 0:.2f}"
        measured = "-" if row.measured is None else f"{number} {row.unit}".rstrip()
        line = f"{row.name:<58}  {measured:>11}  {row.limit:>8}  {row.outcome:<12}  {row.note}"
        print(line.rstrip(), flush=True)
        short = short or row.outcome == "short"
    sys.exit(int(short))


async def interleaved(sides: Sequence[Callable[[], Awaitable[float]]], rounds: int) -> list[float]:
    """The median of what each side gives, the sides taken in turn, so that a busy moment meets all of them."""
    found: list[list[float]] = [[] for _ in sides]
    for turn in range(rounds):
        places = range(len(sides))
        for place in places if turn % 2 == 0 else reversed(places):
            found[place].append(await sides[place]())
    return [statistics.median(values) for values in found]
