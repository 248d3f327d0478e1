"""A run whose server goes away: it waits, ends with a sentence, and goes on later."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.suites import write_suite
from tests.servers import ModelServer

pytestmark = pytest.mark.slow


RUN = [sys.executable, "-m", "evalkit.cli.app", "run", "suite", "--candidate", "candidate.yaml"]


def carry_out(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *more], cwd=folder, capture_output=True, text=True, timeout=120)


def write_candidate(folder: Path, base_url: str, down_timeout_s: int) -> None:
    arguments = f"{{base_url: '{base_url}', down_timeout_s: {down_timeout_s}, concurrency: 4}}"
    written = f"name: c\nengine: openai_http\nmodel: m\nengine_args: {arguments}\n"
    (folder / "candidate.yaml").write_text(written, encoding="utf-8")


def test_a_run_whose_server_is_gone_ends_with_the_command_that_goes_on_and_goes_on(tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", 40)

    def answer_twenty(body: object) -> str:
        if len(server.bodies) >= 20:
            server.stop()
        return "1"

    with ModelServer(reply=answer_twenty, latency_s=0.01) as server:
        write_candidate(tmp_path, server.base_url, 1)
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


def test_an_interrupt_while_a_server_is_waited_for_keeps_everything_finished(tmp_path: Path) -> None:
    write_suite(tmp_path / "suite", 40)

    def answer_ten(body: object) -> str:
        if len(server.bodies) >= 10:
            server.stop()
        return "1"

    with ModelServer(reply=answer_ten, latency_s=0.01) as server:
        write_candidate(tmp_path, server.base_url, 600)
        with subprocess.Popen(RUN, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            said = ""
            for line in process.stderr:
                said += line
                if "Ctrl-C keeps everything finished" in line:
                    break
            process.send_signal(signal.SIGINT)
            said += process.stderr.read()
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "Traceback" not in said
    [run] = (tmp_path / "runs").iterdir()
    assert len((run / "responses.jsonl").read_text().splitlines()) >= 5
