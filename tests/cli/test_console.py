"""What stands on the console: no control character of anybody's, and an exit code that no closed pipe changes."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from tests.runner.suites import write_answers, write_suite

RELEASE = ["release", "suite", "--baseline", "replay:answers.jsonl#old", "--candidate", "replay:answers.jsonl#new"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite, and two systems of which the new one gets half of the sums wrong; a report that gates them."""
    write_suite(tmp_path / "suite", 60)
    write_answers(tmp_path, 60, wrong={"new": set(range(30))})
    return tmp_path


def command(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "evalkit.cli.app", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(("candidate", "code"), [("new", 1), ("old", 0)])
def test_a_reader_that_leaves_does_not_change_the_verdicts_exit_code(folder: Path, candidate: str, code: int) -> None:
    process = command(folder, *RELEASE[:-1], f"replay:answers.jsonl#{candidate}")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_closed_before_the_start_changes_no_exit_code(folder: Path, closed: str) -> None:
    line = f"{shlex.join([sys.executable, '-m', 'evalkit.cli.app', *RELEASE])} {closed}"
    assert (
        subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, check=False, timeout=60).returncode == 1
    )


def test_a_terminal_that_knows_ascii_alone_still_shows_the_verdict(folder: Path) -> None:
    process = command(folder, *RELEASE, PYTHONIOENCODING="ascii")
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"REGRESSED" in stdout
    assert stdout.splitlines()[-1] == b"evalkit: verdict=regressed exit=1 gates=1 failed=1 inconclusive=0"


def test_names_cannot_move_the_cursor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert run_command("run", ["suite", "--candidate", "replay:answers.jsonl#\x1b]0;owned\x07\u202e"]) == 2
    assert run_command("run", ["suite", "--candidate", "echo", "--run-id", "a\x1b[31m"]) == 2
    assert run_command("list", ["\x1b[2J"]) == 2
    captured = capsys.readouterr()
    assert not set("\x1b\x07\u202e") & set(captured.err + captured.out)
    assert "[U+001B]" in captured.err
