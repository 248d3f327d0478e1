"""The demo, as a newcomer runs it: real models, and a verdict that names what was planted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evalkit.runner.demo import PLANTED
from tests.engines_here import needs_transformers, needs_vllm

pytestmark = pytest.mark.slow


def demo(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evalkit.cli.app", "demo", *more]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def result(folder: Path) -> dict:
    return json.loads((folder / "runs/demo/comparison/result.json").read_text(encoding="utf-8"))


def regressed(found: dict) -> list[tuple[str, dict]]:
    return [(made["metric"], made["slice"]) for made in found["decisions"] if made["outcome"] == "regressed"]


@needs_vllm
def test_the_demo_names_exactly_what_was_planted_and_exits_with_0(tmp_path):
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = result(tmp_path)
    assert found["verdict"] == "regressed"
    assert sorted(regressed(found), key=str) == sorted(PLANTED, key=str)
    assert "report: runs/demo/comparison/report.html" in done.stdout
    assert "evalkit release demo" in done.stdout
    assert (tmp_path / "runs/demo/comparison/report.html").is_file()
    # What was planted to be better is better, in the gate's own words.
    german = next(
        made for made in found["decisions"] if made["slice"] == {"language": "de"} and "over" in made["metric"]
    )
    assert german["difference"]["high"] < -0.3
    _check_the_card(tmp_path)
    _check_the_pages(tmp_path)


@needs_transformers
def test_the_demo_comes_to_the_same_without_vllm(tmp_path):
    done = demo(tmp_path, "--engine", "transformers")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(regressed(result(tmp_path)), key=str) == sorted(PLANTED, key=str)


@needs_vllm
@pytest.mark.parametrize("during", ["responses.jsonl", "judging"])
def test_a_demo_that_was_killed_goes_on_and_asks_nothing_twice(tmp_path, during):
    command = [sys.executable, "-m", "evalkit.cli.app", "demo"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for_lines(tmp_path / "runs/demo/v2", during, 200, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = lines_of(tmp_path / "runs/demo/v2", during)
    done = demo(tmp_path, "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines_of(tmp_path / "runs/demo/v2", during)[: len(before) - 1] == before[:-1]
    keys = [json.dumps(json.loads(line)["key"]) for line in lines_of(tmp_path / "runs/demo/v2", during)]
    assert len(keys) == len(set(keys)) == 2160
    assert sorted(regressed(result(tmp_path)), key=str) == sorted(PLANTED, key=str)


@needs_transformers
def test_a_run_of_something_else_is_never_replaced(tmp_path):
    folder = tmp_path / "runs/demo/v1"
    base = [sys.executable, "-m", "evalkit.cli.app"]
    run = ["run", "quickstart", "--candidate", "echo", "--runs", "runs/demo", "--run-id", "v1"]
    subprocess.run([*base, *run], cwd=tmp_path, check=True, capture_output=True)
    done = demo(tmp_path)
    assert done.returncode == 2
    assert "runs/demo/v1: lies where the demo writes" in done.stderr
    assert (folder / "responses.jsonl").is_file()


@needs_transformers
def test_what_is_not_an_earlier_demo_s_is_never_removed(tmp_path):
    for name, file in (("v1", "notes.txt"), ("card", "thesis.txt"), ("comparison", "result.json")):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / file).write_text("{}")
        done = demo(tmp_path, "--out", "own")
        assert done.returncode == 2, done.stderr
        assert f"own/{name}: lies where the demo writes" in done.stderr
        assert (tmp_path / "own" / name / file).read_text() == "{}"
        (tmp_path / "own" / name / file).unlink()


def wait_for_lines(run: Path, name: str, count: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(2000):
        if len(lines_of(run, name)) >= count:
            return
        assert process.poll() is None, "the demo ended before it could be killed"
        time.sleep(0.05)
    raise AssertionError(f"{name} never had {count} lines")


def lines_of(run: Path, name: str) -> list[bytes]:
    files = [run / name] if name.endswith(".jsonl") else sorted(run.glob("judging/*/*/responses.jsonl"))
    return [line for file in files if file.is_file() for line in file.read_bytes().splitlines()]


def _check_the_card(folder: Path) -> None:
    """The judge is good enough, and what it cannot see shows."""
    card = json.loads((folder / "runs/demo/card/card.json").read_text(encoding="utf-8"))
    assert card["labels"]["kind"] == "constructed"
    kappa = next(line for line in card["estimates"] if line["statistic"] == "cohen_kappa" and not line["slice"])
    assert kappa["value"] >= 0.70
    shares = {row["slice"].get("system"): row["n"] for row in card["distributions"] if len(row["slice"]) == 1}
    assert shares["near_miss"] >= 0.14 * kappa["n"]


def _check_the_pages(folder: Path) -> None:
    for page in ("comparison/report.html", "card/card.html"):
        assert "made by construction, not by people" in (folder / "runs/demo" / page).read_text(encoding="utf-8")
