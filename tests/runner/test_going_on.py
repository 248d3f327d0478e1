"""Runs that go on: what is whole is left alone, what is not is found, and judges answer meanwhile."""

import json
import re
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from tests.runner.suites import SUITE, write_suite
from tests.runner.test_judge import JUDGE
from tests.servers import Fault, ModelServer

N = 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of sums, scored by a rule; and the same, judged."""
    write_suite(tmp_path / "suite", N)
    metrics = "    metrics: [{name: correct, scorer: 'judge:correct', reduce: share, labels: ['yes']}]\n"
    write_suite(tmp_path / "judged", N, SUITE.replace("[number]", "[number, 'judge:correct']") + metrics)
    (tmp_path / "judges/correct").mkdir(parents=True)
    (tmp_path / "judges/correct/judge.yaml").write_text(JUDGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def is_judging(body: dict) -> bool:
    return "VERDICT" in body["messages"][-1]["content"]


def answer(body: dict) -> str:
    return "VERDICT: yes" if is_judging(body) else str(eval_sum(body["messages"][-1]["content"]))


def eval_sum(text: str) -> int:
    left, right = map(int, re.search(r"(\d+) \+ (\d+)", text).groups())
    return left + right


def run(suite: str, server: ModelServer, *more: str) -> int:
    return run_command("run", [suite, "--candidate", f"openai:m@{server.base_url}", *more])


def judged(server: ModelServer, *more: str) -> int:
    return run("judged", server, "--judge", f"correct=openai:judge@{server.base_url}", *more)


def run_folder(folder: Path) -> Path:
    (path,) = (manifest.parent for manifest in folder.glob("runs/*/manifest.json"))
    return path


def summary(folder: Path) -> dict:
    return json.loads((run_folder(folder) / "summary.json").read_text())


def test_a_run_that_is_whole_is_left_as_it_is_and_shown_again(folder, capsys):
    with ModelServer(reply=answer) as server:
        assert judged(server) == 0
        shown = capsys.readouterr().out
        files = {path: path.stat().st_mtime_ns for path in run_folder(folder).rglob("*") if path.is_file()}
        assert judged(server, "--resume") == 0
        assert capsys.readouterr().out == shown
        assert len(server.bodies) == 2 * N
    changed = [path.name for path, at in files.items() if path.stat().st_mtime_ns != at]
    assert changed in ([], ["lock"])


@pytest.mark.parametrize("name", ["responses.jsonl", "scores.jsonl"])
def test_lines_that_are_gone_from_a_whole_run_are_found_and_made_again(folder, name):
    with ModelServer(reply=answer) as server:
        assert judged(server) == 0
        before = summary(folder)
        path = run_folder(folder) / name
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:-7]))
        assert judged(server, "--resume") == 0
        # Answers are asked again; scores are made again from the answers and verdicts on file.
        assert len(server.bodies) == 2 * N + (7 if name == "responses.jsonl" else 0)
    assert summary(folder) == before


def test_another_scorer_scores_a_whole_run_again_without_asking(folder):
    with ModelServer(reply=answer) as server:
        assert run("suite", server) == 0
        yaml = folder / "suite" / "suite.yaml"
        yaml.write_text(yaml.read_text().replace("[number]", "[number, exact]"))
        assert run_command("score", [str(run_folder(folder)), "--suite", "suite"]) == 0
        assert len(server.bodies) == N
    assert {row["metric"] for row in summary(folder)["metrics"]} == {"sums.number", "sums.exact"}


def test_changed_data_begins_a_new_run(folder):
    with ModelServer(reply=answer) as server:
        assert run("suite", server) == 0
        write_suite(folder / "suite", N + 1)
        assert run("suite", server, "--resume") == 0
    assert len(list(folder.glob("runs/*/manifest.json"))) == 2


def test_a_judge_behind_a_server_answers_while_the_candidate_still_does(folder):
    with ModelServer(reply=answer, latency_s=0.01) as server:
        arguments = f"{{base_url: '{server.base_url}', concurrency: 4}}"
        (folder / "slow.yaml").write_text(f"name: slow\nengine: openai_http\nmodel: m\nengine_args: {arguments}\n")
        assert run_command("run", ["judged", "--candidate", "slow.yaml", "--judge", "correct=slow.yaml"]) == 0
        kinds = [is_judging(body) for body in server.bodies]
    assert kinds.index(True) < len(kinds) - 1 - kinds[::-1].index(False), "the first verdict came after the last answer"
    assert kinds.count(True) == kinds.count(False) == N


def test_verdicts_that_the_judges_server_failed_to_give_are_asked_for_again(folder, capsys):
    def broken(body: dict, number: int) -> Fault | None:
        return Fault("status", status=400, body='{"error": "no"}') if is_judging(body) else None

    with ModelServer(reply=answer, faults=broken) as server:
        assert judged(server) == 4
        assert "40 of 80 scores have no verdict" in capsys.readouterr().err
    with ModelServer(reply=answer, port=server.port) as server:
        assert judged(server, "--resume") == 0
        assert [is_judging(body) for body in server.bodies] == [True] * N
    assert all(row["estimate"]["n_missing"] == 0 for row in summary(folder)["metrics"])


def test_a_key_that_is_refused_to_the_judge_ends_the_run_and_keeps_the_answers(folder, capsys):
    def refused(body: dict, number: int) -> Fault | None:
        return Fault("status", status=401) if is_judging(body) else None

    with ModelServer(reply=answer, faults=refused) as server:
        assert judged(server) == 2
    manifest = json.loads((run_folder(folder) / "manifest.json").read_text())
    assert manifest["status"] == "incomplete"
    kept = (run_folder(folder) / "responses.jsonl").read_text().count("\n")
    with ModelServer(reply=answer, port=server.port) as server:
        assert judged(server, "--resume") == 0
        asked = [is_judging(body) for body in server.bodies]
    assert asked.count(False) == N - kept, "an answer on file was asked again"
    assert asked.count(True) == N
