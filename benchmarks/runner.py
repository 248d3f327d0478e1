"""What a run costs over the least program that asks the same: processor time, start, memory, and what faults cost.

    python -m benchmarks.runner                       at most 10 minutes
    python -m benchmarks.runner --full                1,000,000 samples too: an hour
    python -m benchmarks.runner --only cpu one        the rows of these names: see ROWS

Every figure is of whole processes. The server (mock_server.py) is one more, on the same machine.
"""

import argparse
import asyncio
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.asked import JUDGE, write_candidate, write_suite
from benchmarks.measure import EVALKIT, FLOOR, CommandFailed, Measured, measure
from benchmarks.mock_server import MockServer
from benchmarks.rows import Row, interleaved, tell

LATENCY_MS = 20
IN_FLIGHT = 64


@dataclass(frozen=True)
class Bench:
    """Where and how often to measure."""

    folder: Path
    """An empty one, for each row its own."""
    rounds: int
    full: bool


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="with the rows of 1,000,000 samples")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved; of one sample, 7 at least")
    parser.add_argument("--only", nargs="+", choices=sorted(ROWS), default=list(ROWS))
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


def cpu(bench: Bench, *, judged: bool) -> Iterator[Row]:
    """Processor time of 10,000 samples, against the floor."""
    n = 10_000
    what = "ask, judge, score" if judged else "ask and match"
    ours, floor = _against_floor(bench, n, bench.rounds, lambda done: done.cpu_s, judged=judged)
    note = f"{ours:.2f} against {floor:.2f} s of CPU; {1e6 * ours / n:.0f} against {1e6 * floor / n:.0f} us a sample"
    yield Row(f"{what}, {n:,} samples: CPU against the floor", ours / floor, at_most=2, unit="x", note=note)


def one_sample(bench: Bench) -> Iterator[Row]:
    """From start to end of a process that asks once, against the floor's."""
    ours, floor = _against_floor(bench, 1, max(7, bench.rounds), lambda done: done.wall_s, judged=False)
    note = f"{ours:.3f} against {floor:.3f} s"
    yield Row("one sample over HTTP: wall against the floor", ours / floor, at_most=2.5, unit="x", note=note)


def _against_floor(
    bench: Bench, n: int, rounds: int, figure: Callable[[Measured], float], *, judged: bool
) -> tuple[float, float]:
    """Medians of a figure, of a run and of the floor, after one round that is not counted."""
    write_suite(bench.folder, n, judged=judged)
    with MockServer("--latency-ms", str(LATENCY_MS)) as server:
        candidate = write_candidate(bench.folder / "mock.yaml", server.base_url, concurrency=IN_FLIGHT)
        numbers = itertools.count()

        async def ours() -> float:
            return figure(run(bench.folder, f"run-{next(numbers)}", candidate, judged=judged))

        async def floor() -> float:
            out = bench.folder / f"floor-{next(numbers)}.jsonl"
            options = ["--base-url", server.base_url, "--data", "suite/data.jsonl", "--out", str(out)]
            done = measure([*FLOOR, *options, *(["--judge"] if judged else [])], bench.folder)
            shares = json.loads(done.stdout)
            check_shares(bench.folder, shares["exact"], shares["yes"])
            return figure(done)

        if n < 1000:
            asyncio.run(interleaved([ours, floor], 1))
        found = asyncio.run(interleaved([ours, floor], rounds))
    return found[0], found[1]


def run(folder: Path, run_id: str, candidate: Path | str, *more: str, judged: bool = False) -> Measured:
    """A run of the suite in a folder, measured."""
    judge = ["--judge", f"{JUDGE}={candidate}"] if judged else []
    options = ["--candidate", str(candidate), *judge, "--runs", "runs", "--run-id", run_id]
    return measure([*EVALKIT, "run", "suite", *options, *more], folder)


def check_shares(folder: Path, exact: float, yes: float | None) -> None:
    """Raise ValueError when a run in this folder came to other shares than the floor: nothing was measured then."""
    wanted = {"asked.exact": exact} | ({"asked.even": yes} if yes is not None else {})
    for path in folder.glob("runs/*/summary.json"):
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        found = {metric["metric"]: metric["estimate"]["value"] for metric in metrics}
        if found != wanted:
            raise ValueError(f"{path}: {found}, and the floor came to {wanted}")


ROWS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "cpu": partial(cpu, judged=False),
    "judge": partial(cpu, judged=True),
    "one": one_sample,
}


if __name__ == "__main__":
    main()
