"""A run whose server goes away: it waits, ends with a sentence, and goes on later."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.suites import write_suite
from tests.servers import ModelServer

pytestmark = pytest.mark.slow


def carry_out(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evalkit.cli.app", "run", "suite", "--candidate", "candidate.yaml", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ})


def test_a_run_whose_server_is_gone_ends_with_the_command_that_goes_on_and_goes_on(tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", 40)

    def answer_twenty(body: object) -> str:
        if len(server.bodies) >= 20:
            server.stop()
        return "1"

    with ModelServer(reply=answer_twenty, latency_s=0.01) as server:
        (tmp_path / "candidate.yaml").write_text(
            "name: c\nengine: openai_http\nmodel: m\n"
            f"engine_args: {{base_url: '{server.base_url}', down_timeout_s: 1, concurrency: 4}}\n",
            encoding="utf-8",
        )
        ended = carry_out(tmp_path)
    assert ended.returncode == 4, ended.stderr
    assert "does not answer (connection refused): waiting" in ended.stderr
    assert "does not answer (connection refused), 1 s long (engine_args.down_timeout_s)" in ended.stderr
    assert ended.stderr.count("Go on with: evalkit run suite --candidate candidate.yaml --resume") == 1
    assert "Traceback" not in ended.stderr
    [run] = (tmp_path / "runs").iterdir()
    kept = len((run / "responses.jsonl").read_text().splitlines())
    assert kept >= 10
    assert json.loads((run / "manifest.json").read_text())["status"] == "incomplete"
    with ModelServer(reply=lambda body: "1", port=server.port) as back:
        went_on = carry_out(tmp_path, "--resume")
    assert went_on.returncode == 0, went_on.stderr
    assert len(back.bodies) == 40 - kept
