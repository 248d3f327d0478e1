"""Judges that ask a model: in a run, resumed, with verdicts that cannot be read, and calibrated against labels."""

import json
import re
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from tests.runner.suites import SUITE, write_answers, write_suite
from tests.servers import Fault, ModelServer

JUDGE = """\
name: correct
criteria: [correct]
scale: binary:no<yes
rubric: "yes when the number is right, else no"
prompt: |
  {{ rubric }}
  Question: {{ input }}
  Answer: {{ response }}
  End with a line VERDICT: yes or VERDICT: no.
"""


@pytest.fixture(autouse=True)
def judged_suite(tmp_path, monkeypatch):
    """A folder with a suite that a judge scores, and two systems' answers; `new` gets 12 of 40 sums wrong."""
    monkeypatch.chdir(tmp_path)
    metrics = "    metrics: [{name: correct, scorer: 'judge:correct', reduce: share, labels: ['yes']}]\n"
    write_suite(tmp_path / "suite", suite=SUITE.replace("[number]", "['judge:correct']") + metrics)
    write_answers(tmp_path, wrong={"new": set(range(0, 36, 3))})
    (tmp_path / "judges/correct").mkdir(parents=True)
    (tmp_path / "judges/correct/judge.yaml").write_text(JUDGE)


def verdict(body: dict) -> str:
    """What a judge that can add says; it looks at the last message only."""
    text = body["messages"][-1]["content"]
    left, right = map(int, re.search(r"(\d+) \+ (\d+)", text).groups())
    answers = [int(number) for number in re.findall(r"(?m)^\s*(\d+)\s*$", text)]
    return "VERDICT: yes" if left + right in answers else "VERDICT: no"


def run(system: str, url: str, *more: str) -> int:
    arguments = [
        "suite",
        "--candidate",
        f"replay:answers.jsonl#{system}",
        "--judge",
        f"correct=openai:judge@{url}",
        *more,
    ]
    return run_command("run", arguments)


def scores(run_id: str) -> list[dict]:
    return [json.loads(line) for line in Path(f"runs/{run_id}/scores.jsonl").read_text().splitlines()]


def test_a_judge_scores_every_answer_and_its_requests_are_kept_as_references():
    with ModelServer(reply=verdict) as server:
        assert run("new", server.base_url, "--run-id", "new") == 0
        assert len(server.bodies) == 40
    labels = [score["label"] for score in scores("new")]
    assert labels.count("no") == 12
    requests = next(Path("runs/new/judging/correct").glob("*/requests.jsonl")).read_text().splitlines()
    assert len(requests) == 40
    assert "messages" not in json.loads(requests[0])
    assert json.loads(requests[0])["about"][0]["run"] == "new"


def test_a_resumed_run_asks_the_judge_nothing_again():
    with ModelServer(reply=verdict) as server:
        assert run("old", server.base_url, "--run-id", "old") == 0
        assert run("old", server.base_url, "--run-id", "old", "--resume") == 0
        assert len(server.bodies) == 40
        Path("runs/old/scores.jsonl").unlink()
        assert run("old", server.base_url, "--run-id", "old", "--resume") == 0
        assert len(server.bodies) == 40
    assert len(scores("old")) == 40


def test_a_run_whose_judge_failed_is_whole_once_the_judge_has_answered():
    is_down = [True]
    fault = Fault("status", status=418)
    with ModelServer(reply=verdict, faults=lambda body, number: fault if is_down[0] else None) as server:
        assert run("old", server.base_url, "--run-id", "old") == 4
        is_down[0] = False
        assert run("old", server.base_url, "--run-id", "old", "--resume") == 0
    counts = json.loads(Path("runs/old/manifest.json").read_text())["counts"]
    assert not [name for name in counts if name.startswith("unjudged")]


def test_an_unreadable_verdict_is_asked_for_once_more_and_then_missing_never_zero(capsys):
    with ModelServer(reply=lambda body: "I would rather not say.") as server:
        assert run("old", server.base_url, "--run-id", "old") == 0
        assert len(server.bodies) == 80
    assert all(score["failure"]["blame"] == "judge" for score in scores("old"))
    summary = json.loads(Path("runs/old/summary.json").read_text())
    assert summary["metrics"][0]["estimate"]["value"] is None
    assert summary["metrics"][0]["estimate"]["n_missing"] == 40
    assert "failed judge 40" in capsys.readouterr().out


def test_a_verdict_that_can_be_read_the_second_time_counts():
    seen: set[str] = set()

    def hesitant(body: dict) -> str:
        question = re.search(r"\d+ \+ \d+", body["messages"][-1]["content"]).group()
        if question in seen:
            return verdict(body)
        seen.add(question)
        return "Let me think."

    with ModelServer(reply=hesitant) as server:
        assert run("old", server.base_url, "--run-id", "old") == 0
        assert len(server.bodies) == 80
    assert [score["label"] for score in scores("old")] == ["yes"] * 40


def test_a_judge_without_a_card_makes_its_gate_inconclusive(capsys):
    Path("reports/small").mkdir(parents=True)
    Path("reports/small/report.yaml").write_text("gates: [{metric: sums.correct, rule: no_worse_than, margin: 0.1}]\n")
    with ModelServer(reply=verdict) as server:
        assert run("old", server.base_url, "--run-id", "old") == 0
        assert run("new", server.base_url, "--run-id", "new") == 0
    assert run_command("compare", ["old", "new", "--report", "small", "--inconclusive", "fail"]) == 3
    assert "has no card" in capsys.readouterr().out


def write_labels(n: int = 40) -> None:
    """Two people and their adjudication on both systems' answers; they agree."""
    with Path("human.jsonl").open("w") as labels, Path("items.jsonl").open("w") as items:
        for number in range(n):
            items.write(json.dumps({"item_id": f"sum-{number}", "prompt": f"{number} + {number + 1} = ?"}) + "\n")
            for system in ("old", "new"):
                wrong = system == "new" and number in range(0, 36, 3)
                for person in ("ann", "ben", "adjudicated"):
                    row = {"item_id": f"sum-{number}", "system": system, "annotator": person, "criterion": "correct"}
                    labels.write(json.dumps({**row, "value": "no" if wrong else "yes"}) + "\n")


def test_a_judge_is_calibrated_by_asking_it_and_its_card_is_found_by_digest(capsys):
    write_labels()
    with ModelServer(reply=verdict) as server:
        arguments = ["correct", "--labels", "human.jsonl", "--items", "items.jsonl", "--responses", "answers.jsonl"]
        arguments += ["--judge", f"correct=openai:judge@{server.base_url}", "--out", "cards/correct", "--draws", "200"]
        assert run_command("calibrate", arguments) == 0
        assert len(server.bodies) == 80
        assert run_command("calibrate", arguments) == 0
        assert len(server.bodies) == 80
        assert run("old", server.base_url, "--run-id", "old") == 0
        assert run("new", server.base_url, "--run-id", "new") == 0
    card = json.loads(Path("cards/correct/card.json").read_text())
    manifest = json.loads(Path("runs/new/manifest.json").read_text())
    assert card["judge_digest"] == manifest["judges"]["correct"]["digest"]
    kappa = next(
        line for line in card["estimates"] if line["statistic"] == "cohen_kappa" and line["against"] == "adjudicated"
    )
    assert kappa["value"] == 1.0
    assert kappa["low"] < 1.0
    Path("reports/small").mkdir(parents=True)
    Path("reports/small/report.yaml").write_text("gates: [{metric: sums.correct, rule: no_worse_than, margin: 0.1}]\n")
    capsys.readouterr()
    # 80 labels are too few for gating (200 are needed): the card says so, and the gate stays open.
    assert run_command("compare", ["old", "new", "--report", "small", "--inconclusive", "fail"]) == 3
    assert "80" in capsys.readouterr().out


def test_a_required_fitness_that_is_not_met_is_exit_1(capsys):
    write_labels()
    assert run_command("calibrate", ["--labels", "human.jsonl", "--out", "card", "--require", "gating"]) == 1
    assert "not fit for gating" in capsys.readouterr().out


def test_another_model_is_asked_itself_and_never_takes_the_first_ones_verdicts():
    with ModelServer(reply=verdict) as kind, ModelServer(reply=lambda body: "VERDICT: no") as strict:
        assert run("old", kind.base_url, "--run-id", "old") == 0
        assert (
            run_command("score", ["old", "--suite", "suite", "--judge", f"correct=openai:judge@{strict.base_url}"]) == 0
        )
        assert len(strict.bodies) == 40
    summary = json.loads(Path("runs/old/summary.json").read_text())
    assert summary["metrics"][0]["estimate"]["value"] == 0.0


def test_scoring_again_keeps_the_judges_model_and_asks_nothing_twice():
    with ModelServer(reply=verdict) as server:
        assert run("old", server.base_url, "--run-id", "old") == 0
        assert run_command("score", ["old", "--suite", "suite"]) == 0
        assert len(server.bodies) == 40


def test_answers_to_other_questions_are_not_scored_again(capsys):
    with ModelServer(reply=verdict) as server:
        assert run("old", server.base_url, "--run-id", "old") == 0
        text = Path("suite/sums.jsonl").read_text()
        Path("suite/sums.jsonl").write_text(text.replace("= ?", "makes"))
        assert run_command("score", ["old", "--suite", "suite"]) == 2
    assert "asks other questions now" in capsys.readouterr().err


def test_a_mistyped_label_of_a_metric_is_refused_before_anything_is_asked(capsys):
    suite = Path("suite/suite.yaml")
    suite.write_text(suite.read_text().replace("labels: ['yes']", "labels: ['yess']"))
    with ModelServer(reply=verdict) as server:
        assert run("old", server.base_url) == 2
        assert server.bodies == []
    assert 'Did you mean "yes"' in capsys.readouterr().err
