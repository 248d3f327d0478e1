"""What the benchmarks measure with: the mock server keeps its rule, and the floor does the same work as a run."""

import json
from pathlib import Path

import pytest

from benchmarks.asked import said, verdict_on, write_candidate, write_suite
from benchmarks.measure import FLOOR, measure, measure_run
from benchmarks.mock_server import FAULTS, MockServer, fault_of
from benchmarks.rows import Row

N = 30


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_run_and_the_floor_come_to_the_same_shares_by_the_same_requests(tmp_path: Path) -> None:
    write_suite(tmp_path, N, judged=True)
    out = tmp_path / "floor.jsonl"
    with MockServer() as server:
        arguments = ["--base-url", server.base_url, "--data", "suite/data.jsonl", "--out", str(out), "--judge"]
        floor = json.loads(measure([*FLOOR, *arguments], tmp_path).stdout)
        assert server.stats()["requests"] == 2 * N
        measure_run(tmp_path, "ours", write_candidate(tmp_path / "mock.yaml", server.base_url), judged=True)
        # The candidate is asked the same to the byte; a judge's fence has another mark in each request.
        assert (server.stats()["requests"], server.stats()["unique"]) == (4 * N, 3 * N)
    metrics = json.loads((tmp_path / "runs/ours/summary.json").read_text(encoding="utf-8"))["metrics"]
    assert [metric["estimate"]["value"] for metric in metrics] == [floor["exact"], floor["yes"]] == [0.9, 0.5]
    assert [line["text"] for line in lines(out) if line["id"] == "13"] == [said(13), f"VERDICT: {verdict_on(said(13))}"]


def test_faults_come_in_their_shares_and_each_attempt_meets_the_same_again() -> None:
    found = [fault_of(f"{number:x}", attempt, 0) for number in range(4000) for attempt in range(3)]
    assert found == [fault_of(f"{number:x}", attempt, 0) for number in range(4000) for attempt in range(3)]
    for kind, share in FAULTS:
        assert found.count(kind) / len(found) == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (Row("a", 2.0, at_most=2.0), "ok"),
        (Row("a", 2.1, at_most=2.0), "short"),
        (Row("a", 0.9, at_least=0.95), "short"),
        (Row("a", 2.1), "told"),
        (Row("a", None, at_most=2.0), "not measured"),
    ],
)
def test_a_row_holds_what_was_measured_against_its_limit(row: Row, outcome: str) -> None:
    assert row.outcome == outcome
