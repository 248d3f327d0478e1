"""What a run costs over the least program that asks the same: processor time, start, memory, and what faults cost.

    python -m benchmarks.runner                       at most 10 minutes
    python -m benchmarks.runner --full                1,000,000 samples too
    python -m benchmarks.runner --only cpu one        the rows of these names: see ROWS

Every figure is of whole processes. The server (mock_server.py) is one more, on the same machine.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.against_floor import cpu, one_sample
from benchmarks.faults import faults, kills
from benchmarks.large import cached, echoed
from benchmarks.measure import Bench, CommandFailed
from benchmarks.rows import Row, tell

ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "cpu": partial(cpu, judged=False),
    "judge": partial(cpu, judged=True),
    "one": one_sample,
    "faults": faults,
    "kills": kills,
    "echo": echoed,
    "cache": cached,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="with the rows of 1,000,000 samples")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved; of one sample, 7 at least")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tell(itertools.chain.from_iterable(_rows(Path(folder), name, options) for name in options.only))


def _rows(folder: Path, name: str, options: argparse.Namespace) -> Iterator[Row]:
    own = folder / name
    own.mkdir()
    try:
        yield from ROWS[name](Bench(own, options.rounds, options.full))
    except CommandFailed as error:
        yield Row(f"{name}: every command ends with 0", 0, at_least=1, note=str(error).replace("\n", " "))


if __name__ == "__main__":
    main()
