"""Runs that are killed: nothing finished is lost, and nothing finished is asked twice."""

import collections
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.runner.suites import write_suite
from tests.servers import ModelServer

pytestmark = pytest.mark.slow

N = 60


def start_run(folder: Path, url: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "evalkit.cli.app", "run", str(folder / "suite"), "--candidate", f"openai:m@{url}"]
    return subprocess.Popen([*command, *more], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(run: Path) -> list[str]:
    """Prompts' samples with a whole line in responses.jsonl."""
    text = (run / "responses.jsonl").read_bytes()
    lines = text.split(b"\n")[:-1]
    return [json.loads(line)["key"]["sample_id"] for line in lines]


def wait_for_responses(folder: Path, count: int) -> Path:
    """The run directory, once it holds so many responses."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in folder.glob("runs/*/responses.jsonl"):
            if path.read_bytes().count(b"\n") >= count:
                return path.parent
        time.sleep(0.01)
    raise AssertionError("the run did not answer in 30 s")


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_run_resumes_and_asks_nothing_finished_again(tmp_path, sent):
    write_suite(tmp_path / "suite", N)
    with ModelServer(reply=lambda body: "1", latency_s=0.2) as server:
        process = start_run(tmp_path, server.base_url)
        run = wait_for_responses(tmp_path, 5)
        os.kill(process.pid, sent)
        _, stderr = process.communicate(timeout=30)
        before = finished(run)
        if sent != signal.SIGKILL:
            assert process.returncode == 130
            assert "--resume" in stderr
            assert json.loads((run / "manifest.json").read_text())["status"] == "interrupted"
        again = start_run(tmp_path, server.base_url, "--resume")
        _, stderr = again.communicate(timeout=60)
        assert again.returncode == 0, stderr
        assert len(list(tmp_path.glob("runs/*"))) == 1
        asked = collections.Counter(body["messages"][-1]["content"] for body in server.bodies)
    by_sample = {f"sum-{number}": asked[f"{number} + {number + 1} = ?"] for number in range(N)}
    assert sorted(finished(run)) == sorted(by_sample)
    assert all(by_sample[sample] == 1 for sample in before)
    assert all(count in (1, 2) for count in by_sample.values())
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["counts"]["responses"] == N


def test_a_torn_last_line_is_cut_said_and_asked_again(tmp_path):
    write_suite(tmp_path / "suite", 10)
    with ModelServer(reply=lambda body: "1") as server:
        first = start_run(tmp_path, server.base_url)
        first.communicate(timeout=60)
        assert first.returncode == 0
        run = next(tmp_path.glob("runs/*"))
        responses = (run / "responses.jsonl").read_bytes()
        (run / "responses.jsonl").write_bytes(responses[:-20])
        (run / "scores.jsonl").unlink()
        again = start_run(tmp_path, server.base_url, "--resume")
        _, stderr = again.communicate(timeout=60)
        assert again.returncode == 0, stderr
        assert "torn last line" in stderr
        assert len(server.bodies) == 11
    assert len(finished(run)) == 10
