"""The wrong things a user can feed in: one sentence with place and mend, the documented exit code, nothing lost."""

import json
import re
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from tests.runner.suites import SUITE, write_answers, write_suite
from tests.servers import Fault, ModelServer

UNUSED_PORT = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Each test works in a folder of its own that holds a small suite."""
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path / "suite")
    write_answers(tmp_path)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What stood on stderr, without progress lines; never a traceback."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert "evalkit's own error" not in text
    return text


def evalkit(*arguments: str) -> int:
    return run_command(arguments[0], list(arguments[1:]))


REPLAY = "replay:answers.jsonl#old"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nosuch", "--candidate", "echo"), r'suite "nosuch" is not known'),
        (("run", "suite/nosuch.yaml", "--candidate", "echo"), r"no file or folder"),
        (("run", "suite", "--candidate", "nosuch"), r"nosuch"),
        (("run", "suite", "--candidate", "vlllm:model"), r'engine "vlllm" is not known'),
        (("run", "suite", "--candidate", "replay:absent.jsonl#old"), r"absent.jsonl"),
        (("run", "suite", "--candidate", "replay:answers.jsonl#odl"), r'"odl".*old'),
        (("run", "suite", "--candidate", "echo", "--judge", "tone=echo"), r"tone"),
        (("run", "suite", "--candidate", "echo", "--judge", "tone"), r"NAME=CANDIDATE"),
        (("run", "suite", "--candidate", "echo", "--language", "sw"), r"no sample is left"),
        (("run", "suite", "--candidate", "echo", "--task", "smus"), r'"?smus"?.*sums'),
        (("run", "suite", "--candidate", "echo", "--limit", "0"), r"--limit 0"),
        (("run", "suite", "--candidate", "echo", "--data", "nofolder"), r'no folder "nofolder"'),
        (("compare", "a", "b"), r'no run "a"'),
        (("report", "a"), r'no run "a"'),
        (("score", "a"), r'no run "a"'),
        (("check", "nosuch"), r'"nosuch" is no suite'),
        (("list", "suits"), r"suites"),
        (("calibrate", "--out", "card"), r"no labels"),
        (("calibrate", "--labels", "absent.jsonl", "--out", "card"), r"absent.jsonl"),
        (("calibrate", "nosuch", "--labels", "answers.jsonl", "--out", "card"), r'judge "nosuch" is not known'),
        (("calibrate", "--labels", "answers.jsonl", "--scale", "likert", "--out", "card"), r"likert"),
        (("calibrate", "--labels", "answers.jsonl", "--order", "aa", "--out", "card"), r"order"),
    ],
)
def test_a_wrong_name_is_one_sentence_and_exit_2(arguments, words, capsys):
    assert evalkit(*arguments) == 2
    text = said(capsys)
    assert re.search(words, text), text
    assert len([line for line in text.splitlines() if line.startswith("evalkit: error")]) == 1


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        (SUITE.replace("scorers: [number]", "scorers: [numbr]"), r'suite\.yaml:6:\d+: scorer "numbr".*"number"'),
        (SUITE.replace("scorers", "scorer"), r"suite\.yaml:6:5: .*scorers"),
        (SUITE.replace("temperature: 0", "temperature: hot"), r"suite\.yaml:5:\d+: .*temperature"),
        (SUITE.replace("    data: sums.jsonl", "\tdata: sums.jsonl"), r"suite\.yaml:4:\d+: .*tab"),
        (SUITE + "name: again\n", r"suite\.yaml:8:1: .*name"),
        (SUITE.replace("sums.jsonl", "smus.jsonl"), r'suite\.yaml:4:\d+: .*Did you mean "sums.jsonl"'),
        (SUITE.replace("slices: [language]", "slices: [langauge]"), r"suite\.yaml:7:\d+: .*language"),
        ("", r"suite\.yaml.*empty"),
        ("- a list\n", r"suite\.yaml:1:1"),
        ("name: small\ntasks: []\n", r"suite\.yaml:2:\d+"),
    ],
)
def test_a_wrong_suite_names_line_column_and_the_mend(suite, words, capsys):
    Path("suite/suite.yaml").write_text(suite, encoding="utf-8")
    assert evalkit("run", "suite", "--candidate", "echo") == 2
    text = said(capsys)
    assert re.search(words, text), text
    assert not list(Path("runs").glob("*/responses.jsonl"))


def test_a_duplicate_sample_id_names_both_lines_and_nothing_is_asked(capsys):
    lines = Path("suite/sums.jsonl").read_text().splitlines()
    Path("suite/sums.jsonl").write_text("\n".join([*lines, lines[2]]) + "\n")
    with ModelServer(reply=lambda body: "1") as server:
        assert evalkit("run", "suite", "--candidate", f"openai:m@{server.base_url}") == 2
        assert server.bodies == []
    assert re.search(r"sums\.jsonl:41.*sum-2.*line 3", said(capsys))


def test_a_bad_json_line_names_its_place(capsys):
    lines = Path("suite/sums.jsonl").read_text().splitlines()
    lines[4] = lines[4][:-3]
    Path("suite/sums.jsonl").write_text("\n".join(lines) + "\n")
    assert evalkit("run", "suite", "--candidate", "echo") == 2
    assert re.search(r"sums\.jsonl:5:\d+", said(capsys))


def test_a_server_that_is_not_there_is_said_before_anything_else(capsys):
    assert evalkit("run", "suite", "--candidate", f"openai:m@{UNUSED_PORT}") == 2
    assert "no server answers" in said(capsys)


def test_a_server_that_answers_500_leaves_an_invalid_run_that_can_be_resumed(capsys, tmp_path):
    candidate = tmp_path / "m.yaml"
    is_broken = [True]

    def broken(body: dict, number: int) -> Fault | None:
        return Fault("status", status=500) if is_broken[0] and "3" in body["messages"][-1]["content"] else None

    with ModelServer(reply=lambda body: "1", faults=broken) as server:
        candidate.write_text(
            f"name: m\nengine: openai_http\nmodel: m\nengine_args: {{base_url: '{server.base_url}', max_retries: 0}}\n"
        )
        assert evalkit("run", "suite", "--candidate", str(candidate)) == 4
        text = said(capsys)
        assert re.search(r"\d+ of 40 requests have no answer.*http_500 \d+.*--resume", text, re.DOTALL), text
        asked = len(server.bodies)
        is_broken[0] = False
        assert evalkit("run", "suite", "--candidate", str(candidate), "--resume") == 0
        kept = 40 - int(re.search(r"(\d+) of 40", text).group(1))
        assert len(server.bodies) - asked == 40 - kept


def test_a_server_that_hangs_is_the_systems_failure_not_a_wrong_answer(capsys, tmp_path):
    candidate = tmp_path / "m.yaml"
    with ModelServer(reply=lambda body: "1", faults=lambda body, number: Fault("hang")) as server:
        candidate.write_text(
            "name: m\nengine: openai_http\nmodel: m\n"
            f"engine_args: {{base_url: '{server.base_url}', max_retries: 0,\n"
            "  attempt_timeout_s: 0.2, total_timeout_s: 0.5}\n"
        )
        assert evalkit("run", "suite", "--candidate", str(candidate), "--limit", "2") == 4
    assert "timeout 2" in said(capsys)
    summary = json.loads(next(Path("runs").glob("*/summary.json")).read_text())
    assert summary["metrics"][0]["estimate"]["value"] is None


def test_labels_that_join_no_response_are_an_error_with_the_systems_they_speak_of(capsys):
    label = {"item_id": "sum-1", "system": "other", "annotator": "ann", "criterion": "right", "value": "yes"}
    Path("labels.jsonl").write_text(json.dumps(label) + "\n")
    scorer = "[{scorer: labels, name: people, file: ../labels.jsonl, criterion: right, annotator: ann}]"
    Path("suite/suite.yaml").write_text(SUITE.replace("[number]", scorer))
    assert evalkit("run", "suite", "--candidate", REPLAY) == 2
    assert re.search(r'labels\.jsonl: .*system "old".*other', said(capsys))


def test_an_empty_required_slice_is_said_by_check_and_by_compare(capsys):
    Path("reports/small").mkdir(parents=True)
    gate = "{metric: sums.number, rule: no_worse_than, margin: 0.2, by: [language], required: [{language: sw}]}"
    Path("reports/small/report.yaml").write_text(f"gates: [{gate}]\n")
    Path("suite/suite.yaml").write_text(SUITE + "report: small\n")
    assert evalkit("check", "suite") == 2
    assert "language=sw has no samples" in capsys.readouterr().out
    assert evalkit("release", "suite", "--baseline", REPLAY, "--candidate", "replay:answers.jsonl#new") == 2
    assert "language=sw has no samples" in said(capsys)


def test_check_refuses_a_required_slice_that_could_never_pass(capsys):
    Path("reports/small").mkdir(parents=True)
    Path("reports/small/report.yaml").write_text(
        "gates: [{metric: sums.number, rule: no_worse_than, margin: 0.05, required: [{language: ar}]}]\n"
    )
    Path("suite/suite.yaml").write_text(SUITE + "report: small\n")
    assert evalkit("check", "suite") == 2
    assert re.search(r"report\.yaml:1:\d+: .*samples.*takes 52 samples", capsys.readouterr().out)


def test_a_partial_run_is_refused_as_a_baseline_with_exit_5(capsys):
    assert evalkit("run", "suite", "--candidate", REPLAY, "--limit", "5", "--run-id", "part") == 0
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "whole") == 0
    assert evalkit("compare", "part", "whole") == 5
    captured = capsys.readouterr()
    assert "partial" in captured.err
    assert "evalkit: verdict=invalid exit=5" in captured.out


def test_runs_of_changed_data_are_not_comparable_and_the_field_is_named(capsys):
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "before") == 0
    write_suite(Path("suite"), n=39)
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "after") == 0
    assert evalkit("compare", "before", "after") == 5
    assert "data:sums differs" in capsys.readouterr().err


def test_an_unfinished_run_is_not_compared(capsys):
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "a") == 0
    manifest = json.loads(Path("runs/a/manifest.json").read_text())
    Path("runs/a/manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    assert evalkit("compare", "a", "a") == 4
    assert "is running" in capsys.readouterr().err


def test_a_run_directory_that_is_taken_is_not_written_over(capsys):
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "a") == 0
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "a") == 2
    assert "--resume" in said(capsys)


def test_our_own_error_is_70_never_1(capsys):
    # The outer command refuses a name that is not in its table; that a module is missing could only be our own fault.
    assert run_command("no_such_module", []) == 70
    assert "evalkit's own error" in capsys.readouterr().err


def test_an_invalid_comparison_leaves_a_result_that_says_so(capsys):
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "before") == 0
    write_suite(Path("suite"), n=39)
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "after") == 0
    Path("out").mkdir()
    Path("out/result.json").write_text('{"verdict": "pass"}')
    assert evalkit("compare", "before", "after", "--out", "out") == 5
    result = json.loads(Path("out/result.json").read_text())
    assert (result["verdict"], result["exit_code"], result["decisions"]) == ("invalid", 5, [])
    assert "data:sums differs" in Path("out/report.html").read_text()


def test_a_resumed_run_does_not_keep_scores_of_labels_that_changed(capsys):
    def write_labels(value: str) -> None:
        rows = [
            {"item_id": f"sum-{n}", "system": "old", "annotator": "ann", "criterion": "right", "value": value}
            for n in range(40)
        ]
        Path("labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    scorer = "[{scorer: labels, name: people, file: ../labels.jsonl, criterion: right, annotator: ann}]"
    metrics = "    metrics: [{name: right, scorer: people, reduce: share, labels: ['yes']}]\n"
    Path("suite/suite.yaml").write_text(SUITE.replace("[number]", scorer) + metrics)
    for value, expected in (("yes", 1.0), ("no", 0.0)):
        write_labels(value)
        assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "a", "--resume") == 0
        summary = json.loads(Path("runs/a/summary.json").read_text())
        assert summary["metrics"][0]["estimate"]["value"] == expected


@pytest.mark.parametrize("name", ["samples", "requests", "responses"])
def test_a_run_that_lost_a_part_of_a_file_is_not_compared(name, capsys):
    assert evalkit("run", "suite", "--candidate", REPLAY, "--run-id", "a") == 0
    file = Path(f"runs/a/{name}.jsonl")
    file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])
    for command in (("compare", "a", "a"), ("report", "a"), ("score", "a", "--suite", "suite")):
        assert evalkit(*command) == 2
        assert re.search(rf"{name}\.jsonl: holds \d+ of the 40", said(capsys))
