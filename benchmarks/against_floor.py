"""What a run takes over floor.py: processor time of 10,000 samples, and wall time of one."""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.asked import write_candidate, write_suite
from benchmarks.measure import FLOOR, Bench, Measured, measure, measure_run
from benchmarks.mock_server import MockServer
from benchmarks.rows import Row, interleaved

LATENCY_MS = 20
IN_FLIGHT = 64
SAMPLES = 10_000


def cpu(bench: Bench, *, judged: bool) -> Iterator[Row]:
    """Processor time of 10,000 samples."""
    what = "ask, judge, score" if judged else "ask and match"
    ours, floor = _medians(bench, SAMPLES, bench.rounds, lambda done: done.cpu_s, judged=judged)
    each = f"{1e6 * ours / SAMPLES:.0f} against {1e6 * floor / SAMPLES:.0f} us a sample"
    note = f"{ours:.2f} against {floor:.2f} s of CPU, {each}"
    yield Row(f"{what}, {SAMPLES:,} samples: CPU against the floor", ours / floor, at_most=2, unit="x", note=note)


def one_sample(bench: Bench) -> Iterator[Row]:
    """From start to end of a process that asks once."""
    ours, floor = _medians(bench, 1, max(7, bench.rounds), lambda done: done.wall_s, judged=False)
    note = f"{ours:.3f} against {floor:.3f} s"
    yield Row("one sample over HTTP: wall against the floor", ours / floor, at_most=2.5, unit="x", note=note)


def _warm(bench: Bench, server: MockServer) -> None:
    """Both programs once with one sample: what is compiled the first time is not compiled again."""
    folder = bench.folder / "warm"
    write_suite(folder, 1, judged=True)
    candidate = write_candidate(folder / "mock.yaml", server.base_url, concurrency=IN_FLIGHT)
    measure_run(folder, "run", candidate, judged=True)
    options = ["--base-url", server.base_url, "--data", "suite/data.jsonl", "--out", "floor.jsonl", "--judge"]
    measure([*FLOOR, *options], folder)


def _medians(
    bench: Bench, n: int, rounds: int, figure: Callable[[Measured], float], *, judged: bool
) -> tuple[float, float]:
    """Of a figure, of a run and of the floor; where one sample is asked, after a round that does not count."""
    write_suite(bench.folder, n, judged=judged)
    with MockServer("--latency-ms", str(LATENCY_MS)) as server:
        candidate = write_candidate(bench.folder / "mock.yaml", server.base_url, concurrency=IN_FLIGHT)
        numbers = itertools.count()

        async def ours() -> float:
            return figure(measure_run(bench.folder, f"run-{next(numbers)}", candidate, judged=judged))

        async def floor() -> float:
            out = str(bench.folder / f"floor-{next(numbers)}.jsonl")
            options = ["--base-url", server.base_url, "--data", "suite/data.jsonl", "--out", out]
            done = measure([*FLOOR, *options, *(["--judge"] if judged else [])], bench.folder)
            shares = json.loads(done.stdout)
            _check_shares(bench.folder, shares["exact"], shares["yes"])
            return figure(done)

        _ = asyncio.run(interleaved([ours, floor], 1)) if n == 1 else _warm(bench, server)
        found = asyncio.run(interleaved([ours, floor], rounds))
    return found[0], found[1]


def _check_shares(folder: Path, exact: float, yes: float | None) -> None:
    """Raise ValueError when a run in this folder came to other shares than the floor: nothing was measured then."""
    wanted = {"asked.exact": exact} | ({"asked.even": yes} if yes is not None else {})
    for path in folder.glob("runs/*/summary.json"):
        metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
        found = {metric["metric"]: metric["estimate"]["value"] for metric in metrics}
        if found != wanted:
            raise ValueError(f"{path}: {found}, and the floor came to {wanted}")
