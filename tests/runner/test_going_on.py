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


@pytest.mark.parametrize("name", ["samples.jsonl", "requests.jsonl", "responses.jsonl", "scores.jsonl"])
def test_a_whole_run_with_a_damaged_line_is_not_called_whole(folder, capsys, name):
    with ModelServer(reply=answer) as server:
        assert judged(server) == 0
        path = run_folder(folder) / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] = 0xFF
        path.write_bytes(bytes(content))
        assert judged(server, "--resume") == 2
        assert name in capsys.readouterr().err


def test_scores_that_are_lost_are_no_missing_answers(folder, capsys):
    with ModelServer(reply=answer) as server:
        assert run("suite", server, "--run-id", "a") == 0
        assert run("suite", server, "--run-id", "b") == 0
    path = folder / "runs" / "b" / "scores.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-3]))
    assert run_command("compare", ["a", "b"]) == 4
    assert "scores.jsonl changed since the run was counted" in capsys.readouterr().err
    assert run_command("score", ["b", "--suite", "suite"]) == 0
    assert run_command("compare", ["a", "b"]) in (0, 3)


def test_a_run_of_this_name_that_cannot_be_gone_on_with_says_why(folder, capsys):
    with ModelServer(reply=answer) as server:
        assert run("suite", server, "--run-id", "x", "--limit", "3") == 0
        assert run("suite", server, "--run-id", "x", "--resume") == 2
        assert "filter (limit 3 there, none now)" in capsys.readouterr().err
        manifest = folder / "runs" / "x" / "manifest.json"
        manifest.write_text(manifest.read_text()[:-50])
        assert run("suite", server, "--run-id", "x", "--resume") == 2
        assert "manifest.json" in capsys.readouterr().err


def test_going_on_names_the_limits_that_hold_now(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["evalkit", "run", "suite", "--max-failures", "1"])

    def broken(body: dict, number: int) -> Fault | None:
        return Fault("status", status=400, body='{"error": "no"}')

    with ModelServer(reply=answer, faults=broken) as server:
        assert run("suite", server, "--max-failures", "1") == 4
        monkeypatch.setattr("sys.argv", ["evalkit", "run", "suite", "--max-failures", "2", "--resume"])
        capsys.readouterr()
        assert run("suite", server, "--max-failures", "2", "--resume") == 4
        said = capsys.readouterr().err
    assert "Go on with: evalkit run suite --max-failures 2 --resume" in said
    assert run_command("score", [str(run_folder(folder)), "--suite", "suite"]) == 4
