"""A run that is killed several times, at moments drawn from a seed: `make storm` does it a hundred times."""

from pathlib import Path

import pytest

from benchmarks.storm import storm

pytestmark = pytest.mark.slow

KILLS, SAMPLES, IN_FLIGHT = 4, 150, 8


def test_a_run_killed_again_and_again_asks_again_only_what_was_in_flight_and_ends_whole(tmp_path: Path) -> None:
    came = storm(tmp_path, KILLS, SAMPLES, seed=1, in_flight=IN_FLIGHT)
    assert came.hit.total() == KILLS
    assert came.unique == 2 * SAMPLES
    assert max(came.again_by_kill) <= IN_FLIGHT
    assert came.requests == came.unique + sum(came.again_by_kill)
    assert came.wrong.total() == 0, came.wrong
    assert came.broken == []
