"""Large runs: memory, going on with what is finished, answers out of a cache, and two of them compared."""

import statistics
from collections.abc import Iterator
from pathlib import Path

import orjson

from benchmarks.asked import write_candidate, write_suite
from benchmarks.measure import EVALKIT, Bench, Measured, measure, measure_run
from benchmarks.mock_server import MockServer
from benchmarks.rows import Row

SMALL, LARGE, FULL = 10_000, 100_000, 1_000_000
START_S = 1.5
"""What a process may take beside its samples."""


def echoed(bench: Bench) -> Iterator[Row]:
    """Memory by size, a finished run that is resumed, and two runs compared; without a server."""
    small = _echo(bench.folder / "small", SMALL)
    for n in (LARGE, FULL) if bench.full else (LARGE,):
        folder, required = bench.folder / str(n), n == FULL
        large = _echo(folder, n)
        note = f"{large.peak_mb:.0f} MB; {large.cpu_s:.1f} s of CPU, {1e6 * large.cpu_s / n:.0f} us a sample"
        grown = large.peak_mb - small.peak_mb
        yield Row(f"memory, {SMALL:,} to {n:,} samples", grown, at_most=150 if required else None, unit="MB", note=note)
        if n == LARGE:
            yield _resumed(bench, folder, n)
        yield from _compared(folder, n, required=required)


def _echo(folder: Path, n: int) -> Measured:
    write_suite(folder, n, echoed=True)
    return measure_run(folder, "first", "echo")


def _resumed(bench: Bench, folder: Path, n: int) -> Row:
    cpu_s = statistics.median(measure_run(folder, "first", "echo", "--resume").cpu_s for _ in range(bench.rounds))
    return _again(f"{n:,} samples again: --resume of a finished run, CPU", cpu_s, n, 30)


def _again(name: str, cpu_s: float, n: int, limit_us: float) -> Row:
    each = max(0.0, cpu_s - START_S) / n
    note = f"{START_S} s and {1e6 * each:.0f} us a sample; limit {limit_us:g} us"
    return Row(name, cpu_s, at_most=START_S + 1e-6 * limit_us * n, unit="s", note=note)


def _compared(folder: Path, n: int, *, required: bool) -> Iterator[Row]:
    """The second run is the first, every fiftieth of its scores turned over."""
    _turned(folder / "runs" / "first", folder / "runs" / "second")
    done = measure([*EVALKIT, "compare", "first", "second"], folder)
    note = f"{done.cpu_s:.1f} s of CPU"
    name = f"compare two runs of {n:,} scores"
    yield Row(f"{name}: wall", done.wall_s, at_most=60 if required else None, unit="s", note=note)
    yield Row(f"{name}: peak memory", done.peak_mb, at_most=2000 if required else None, unit="MB")


def _turned(first: Path, second: Path) -> None:
    """A copy without the digests of its files: they are others'."""
    second.mkdir()
    manifest = orjson.loads((first / "manifest.json").read_bytes())
    (second / "manifest.json").write_bytes(orjson.dumps(manifest | {"run_id": second.name, "files": {}}))
    for name in ("samples.jsonl", "requests.jsonl", "responses.jsonl"):
        (second / name).hardlink_to(first / name)
    with (first / "scores.jsonl").open("rb") as scores, (second / "scores.jsonl").open("wb") as turned:
        for number, line in enumerate(scores):
            if number % 50 == 0:
                score = orjson.loads(line)
                line = orjson.dumps(score | {"value": 1 - score["value"]}) + b"\n"
            turned.write(line)


def cached(bench: Bench) -> Iterator[Row]:
    """Every answer of a new run out of the cache that another run filled."""
    name, n = f"{LARGE:,} samples again: a new run out of the cache, CPU", LARGE
    if "--cache" not in measure([*EVALKIT, "run", "--help"], bench.folder).stdout:
        yield Row(name, None, at_most=START_S + 100e-6 * n, unit="s", note="`run` has no --cache")
        return
    write_suite(bench.folder, n)
    with MockServer() as server:
        candidate = write_candidate(bench.folder / "mock.yaml", server.base_url, revision="1")
        measure_run(bench.folder, "first", candidate, "--cache", "answers")
        asked = server.stats()["requests"]
        done = [measure_run(bench.folder, f"again-{i}", candidate, "--cache", "answers") for i in range(bench.rounds)]
        again = server.stats()["requests"] - asked
    yield _again(name, statistics.median(each.cpu_s for each in done), n, 100)
    yield Row("requests sent although the cache had their answers", again, at_most=0)
