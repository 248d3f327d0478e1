"""A server that fails now and then, and a run that is killed: what that costs, and what is lost.

Of all attempts 5 % are answered with 500, 5 % with 429, 1 % are reset, 1 % cut off, and 1 % never answered.
"""

import asyncio
import itertools
from collections.abc import Iterator

from benchmarks.asked import write_candidate, write_suite
from benchmarks.measure import Bench, Measured, measure_run
from benchmarks.mock_server import MockServer
from benchmarks.rows import Row, interleaved
from benchmarks.scored import wrong_scores
from benchmarks.storm import storm

SAMPLES = 1000
LATENCY_MS = 20
ATTEMPT_TIMEOUT_S = 3.0
RETRY_AFTER_S = 1


def faults(bench: Bench) -> Iterator[Row]:
    """Wall time with faults against wall time without, and whether every score is there and right.

    Each round meets other faults: what a request meets in a row makes most of the difference.
    """
    write_suite(bench.folder, SAMPLES, judged=True)
    numbers = itertools.count()
    met: dict[str, int] = {}
    faulty: list[float] = []
    lost = miscounted = 0

    def one(*options: str) -> Measured:
        nonlocal lost, miscounted
        run_id = f"run-{next(numbers)}"
        # A server of its own: it counts attempts.
        with MockServer("--latency-ms", str(LATENCY_MS), "--retry-after-s", str(RETRY_AFTER_S), *options) as server:
            candidate = write_candidate(
                bench.folder / "mock.yaml", server.base_url, attempt_timeout_s=ATTEMPT_TIMEOUT_S
            )
            done = measure_run(bench.folder, run_id, candidate, judged=True)
            met.update(server.stats()["faults"])
        wrong = wrong_scores(bench.folder / "runs" / run_id, SAMPLES, judged=True)
        lost, miscounted = lost + wrong["lost"], miscounted + wrong["miscounted"] + wrong["twice"]
        return done

    async def without() -> float:
        return one().wall_s

    async def with_faults() -> float:
        faulty.append(one("--faults", "--seed", str(len(faulty))).wall_s)
        return faulty[-1]

    free_s, faulty_s = asyncio.run(interleaved([without, with_faults], bench.rounds))
    limit_s = 3 * free_s + 2 * ATTEMPT_TIMEOUT_S + RETRY_AFTER_S
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(met.items()))
    each = ", ".join(f"{wall_s:.1f}" for wall_s in faulty)
    note = f"median of {each}; without faults {free_s:.2f} s; met {kinds}"
    yield Row(f"{SAMPLES:,} samples and a judge, with faults: wall", faulty_s, at_most=limit_s, unit="s", note=note)
    yield Row("with faults: scores lost", lost, at_most=0)
    yield Row("with faults: scores miscounted", miscounted, at_most=0)


def kills(bench: Bench) -> Iterator[Row]:
    """A few kills; `make storm` is a hundred."""
    yield from storm(bench.folder, kills=5, samples=1500, seed=0, in_flight=64).rows()
