"""Merged shards are the run that one job would have made; what is not all of one run's shards is refused in words."""

import json
import re
import shutil
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from evalkit.core.errors import InputError
from evalkit.runner.command_text import without_options
from evalkit.runner.merge import merge_runs
from evalkit.runner.shard_runs import find_shards
from evalkit.store.appended import append_lines
from evalkit.store.rundir import RunDirectory
from tests.runner.suites import write_suite
from tests.runner.test_judge import JUDGE, verdict
from tests.servers import ModelServer

SUITE = """\
name: small
tasks:
  - name: sums
    data: sums.jsonl
    sampling: {temperature: 0.5, max_tokens: 16, attempts: 2, seed: 1}
    scorers: ['judge:correct', output_tokens]
    metrics:
      - {name: correct, scorer: 'judge:correct', reduce: share, labels: ['yes']}
      - {name: output_tokens, scorer: output_tokens, reduce: mean, better: lower}
    slices: [language]
  - name: again
    data: sums.jsonl
    sampling: {temperature: 0, max_tokens: 16}
    scorers: [number]
    metrics: [{name: number, scorer: number, reduce: mean}]
"""


def reply(body: dict) -> str:
    """One model that adds, wrongly now and then, and whose answers differ in length; another that judges it."""
    if body["model"] == "judge":
        return verdict(body)
    left, right = map(int, re.search(r"(\d+) \+ (\d+)", body["messages"][-1]["content"]).groups())
    right_or_wrong = left + right + (left % 5 == 3 or (left + body.get("seed", 0)) % 7 == 2)
    return " so" * (left % 4) + f"\n{right_or_wrong}"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a suite of two tasks, and a judge."""
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path / "suite", suite=SUITE)
    (tmp_path / "judges/correct").mkdir(parents=True)
    (tmp_path / "judges/correct/judge.yaml").write_text(JUDGE)


@pytest.fixture
def server():
    with ModelServer(reply=reply) as running:
        yield running


def run(url: str, *more: str) -> int:
    models = ["--candidate", f"openai:adds@{url}", "--judge", f"correct=openai:judge@{url}"]
    return run_command("run", ["suite", *models, *more])


def run_shards(url: str, parts: int, *more: str, runs: str = "shards") -> None:
    for part in range(1, parts + 1):
        assert run(url, "--shard", f"{part}/{parts}", "--runs", runs, "--run-id", f"s{part}", *more) == 0


def document(path: str) -> dict:
    return json.loads(Path(path).read_text())


def test_a_merged_run_is_the_run_that_one_job_would_have_made(server):
    assert run(server.base_url, "--run-id", "whole") == 0
    run_shards(server.base_url, 3)
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    for name in ("samples.jsonl", "requests.jsonl"):
        assert Path("runs/merged", name).read_bytes() == Path("runs/whole", name).read_bytes()
    assert document("runs/merged/summary.json")["metrics"] == document("runs/whole/summary.json")["metrics"]
    whole, merged = document("runs/whole/manifest.json"), document("runs/merged/manifest.json")
    for name in ("counts", "digests", "judges", "partial", "status", "seeds", "served", "versions", "hardware"):
        assert merged[name] == whole[name], name
    assert merged["merged_from"] == ["s1", "s2", "s3"]
    assert whole["merged_from"] == []
    assert merged["started_at"] == document("shards/s1/manifest.json")["started_at"]
    events = [json.loads(line) for line in Path("runs/merged/log.jsonl").read_text().splitlines()]
    assert [event["shards"] for event in events if event["event"] == "merged"] == [["s1", "s2", "s3"]]


def test_a_merged_run_compares_as_the_whole_run_does(server):
    assert run(server.base_url, "--run-id", "whole") == 0
    run_shards(server.base_url, 3)
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    gates = [
        "{metric: sums.correct, rule: no_worse_than, margin: 0.2, needs_card: none}",
        "{metric: sums.output_tokens, rule: no_worse_than, margin: 1, by: [language]}",
    ]
    Path("reports/small").mkdir(parents=True)
    Path("reports/small/report.yaml").write_text(f"gates: [{', '.join(gates)}]\n")
    for arm in ("whole", "merged"):
        assert run_command("compare", ["whole", arm, "--report", "small", "--out", f"by-{arm}"]) == 0
    one, other = document("by-whole/result.json"), document("by-merged/result.json")
    assert one["metrics"] == other["metrics"]
    assert one["decisions"] == other["decisions"]
    assert len(one["decisions"]) > 1
    arms = ["--baseline", "runs/whole", "--candidate", "runs/merged"]
    models = ["--judge", f"correct=openai:judge@{server.base_url}"]
    assert run_command("release", ["suite", *arms, *models, "--report", "small", "--out", "released"]) == 0


def test_a_merged_run_is_gone_on_with_scored_again_and_reported_without_asking_anything(server):
    run_shards(server.base_url, 3)
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    summary, asked = document("runs/merged/summary.json"), len(server.bodies)
    Path("runs/merged/scores.jsonl").unlink()
    assert run(server.base_url, "--run-id", "merged", "--resume") == 0
    assert document("runs/merged/summary.json") == summary
    Path("runs/merged/scores.jsonl").unlink()
    assert run_command("score", ["merged", "--suite", "suite"]) == 0
    assert document("runs/merged/summary.json") == summary
    assert run_command("report", ["merged"]) == 0
    assert len(server.bodies) == asked
    references = [
        json.loads(line)["about"][0]["run"]
        for file in Path("runs/merged/judging").rglob("requests.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert set(references) == {"merged"}
    assert len(references) == 80


def test_a_filter_beside_the_shard_stays_and_the_shard_goes(server):
    run_shards(server.base_url, 2, "--limit", "9", "--language", "en")
    assert document("shards/s1/manifest.json")["partial"] == {"limit": 9, "language": ["en"], "shard": "1/2"}
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    manifest = document("runs/merged/manifest.json")
    assert manifest["partial"] == {"limit": 9, "language": ["en"]}
    assert manifest["counts"]["samples"] == 18


def test_shards_without_a_sample_are_whole_and_merge(server, capsys):
    run_shards(server.base_url, 9, "--limit", "1")
    assert "complete, partial (limit 1, shard" in capsys.readouterr().out
    sizes = [document(f"shards/s{part}/manifest.json")["counts"]["samples"] for part in range(1, 10)]
    assert sorted(sizes) == [0] * 7 + [1, 1] or sorted(sizes) == [0] * 8 + [2]
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    assert run(server.base_url, "--run-id", "whole", "--limit", "1") == 0
    assert document("runs/merged/summary.json")["metrics"] == document("runs/whole/summary.json")["metrics"]


def test_shards_are_found_by_path_by_id_and_in_folders_as_artifacts_come(server, capsys):
    run_shards(server.base_url, 3, "--limit", "4")
    shutil.copytree("shards/s2", "artifacts/shard-2/s2")
    shutil.copytree("shards/s3", "artifacts/shard-3/s3")
    assert run_command("merge", ["s1", "artifacts", "--runs", "shards"]) == 0
    made = next(Path("shards").glob("*-small-adds-merged-*"))
    assert document(f"{made}/manifest.json")["counts"]["samples"] == 8
    # Merged runs among the shards are no shards, and the same merge finds its run made.
    capsys.readouterr()
    assert run_command("merge", ["shards", "--runs", "shards"]) == 2
    assert "is there already: choose another name with --run-id" in capsys.readouterr().err


def test_a_merge_that_was_cut_off_says_so_and_is_made_again(server, capsys):
    run_shards(server.base_url, 2)
    torn = Path("shards/s2/scores.jsonl")
    kept = torn.read_text()
    torn.write_text("not JSON\n" + kept)
    # As if an older evalkit had made it, which did not write down what its files held: the damage is met on the way.
    manifest = Path("shards/s2/manifest.json")
    manifest.write_text(json.dumps(document(str(manifest)) | {"files": {}}))
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 2
    assert document("runs/merged/manifest.json")["status"] == "incomplete"
    capsys.readouterr()
    assert run_command("compare", ["merged", "merged"]) == 4
    assert "evalkit" in (said := capsys.readouterr().err)
    assert "--resume" not in said
    torn.write_text(kept)
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    assert run(server.base_url, "--run-id", "whole") == 0
    assert document("runs/merged/summary.json")["metrics"] == document("runs/whole/summary.json")["metrics"]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    capsys.readouterr()
    assert run_command("merge", [*arguments, "--run-id", "merged"]) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("evalkit: error")]
    assert len(lines) == 1
    assert not Path("runs/merged").exists()
    return lines[0]


def test_what_is_not_all_of_one_run_s_shards_is_refused(server, capsys):
    run_shards(server.base_url, 4, "--limit", "6")
    assert "shard 3 of 4 is missing" in refused(capsys, "shards/s1", "shards/s2", "shards/s4")
    assert "shards 2 and 4 of 4 are missing" in refused(capsys, "shards/s1", "shards/s3")
    shutil.copytree("shards/s1", "copy")
    assert "shard 1/4 is given twice" in refused(capsys, "shards", "copy")
    assert run(server.base_url, "--shard", "1/2", "--run-id", "half", "--limit", "6") == 0
    assert "shard 1/2 and run shards/s4 shard 4/4" in (said := refused(capsys, "shards", "half")) or "1/4" in said
    assert run(server.base_url, "--run-id", "whole", "--limit", "6") == 0
    assert "runs/whole is no shard" in refused(capsys, "shards", "whole")
    assert 'no run "nosuch"' in refused(capsys, "nosuch")
    Path("empty").mkdir()
    assert "holds no run" in refused(capsys, "empty")


def edited(run_folder: str, change) -> None:
    manifest = document(f"{run_folder}/manifest.json")
    change(manifest)
    Path(run_folder, "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["digests"].update(suite="0" * 32), "in its suite"),
        (lambda m: m["digests"].update({"data:sums": "0" * 32}), "in its data:sums"),
        (lambda m: m["digests"].update(candidate="0" * 32), "in its candidate"),
        (lambda m: m["digests"].update(model="0" * 32), "in its model"),
        (lambda m: m["digests"].update({"scorer:again/number": "0" * 32}), "in its scorer:again/number"),
        (lambda m: m["digests"].update({"judge:correct": "0" * 32}), "in its judge:correct"),
        (lambda m: m["partial"].update(limit=7), r"in its filter \(limit 7 against limit 6\)"),
        (lambda m: m.update(schema="evalkit.run/2"), "newer evalkit"),
    ],
)
def test_shards_that_were_not_made_alike_are_refused(server, capsys, change, words):
    run_shards(server.base_url, 2, "--limit", "6")
    edited("shards/s2", change)
    assert re.search(words, said := refused(capsys, "shards")), said
    assert "s2" in said


def test_an_unfinished_shard_is_refused_with_the_command_that_finishes_it(server, capsys):
    run_shards(server.base_url, 2, "--limit", "6")
    edited("shards/s2", lambda manifest: manifest.update(status="interrupted", command="evalkit run suite --shard 2/2"))
    said = refused(capsys, "shards", code=4)
    assert "shards/s2 (shard 2/2) is interrupted: finish it with evalkit run suite --shard 2/2 --resume" in said


def test_a_shard_that_lost_records_is_refused(server, capsys):
    run_shards(server.base_url, 2, "--limit", "6")
    path = Path("shards/s1/responses.jsonl")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert "answers of this finished run" in refused(capsys, "shards")


def test_the_python_names_raise_what_the_command_says(tmp_path):
    with pytest.raises(InputError, match="no run to merge"):
        merge_runs([])
    with pytest.raises(InputError, match="holds no run"):
        find_shards([str(tmp_path)], tmp_path)


def test_a_merged_run_goes_on_by_the_shards_command_without_its_shard(server):
    run_shards(server.base_url, 2, "--limit", "6")
    for part in (1, 2):
        edited(f"shards/s{part}", lambda m: m.update(command="evalkit run suite --shard 1/2 --run-id s1 --limit 6"))
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    command = RunDirectory.open(Path("runs/merged")).manifest.command
    assert command == "evalkit run suite --limit 6 --runs runs --run-id merged"
    assert without_options("evalkit 'torn", ("--shard",)) == "evalkit 'torn"


def test_lines_are_appended_whole_and_a_torn_one_is_left_out(tmp_path):
    source, target = tmp_path / "a.jsonl", tmp_path / "new" / "b.jsonl"
    append_lines(source, target)
    assert not target.exists()
    for text in ('{"n":1}\n{"n":2}', '{"n":3}\n{"n":', ""):
        source.write_text(text)
        append_lines(source, target)
    assert target.read_text() == '{"n":1}\n{"n":2}\n{"n":3}\n'
    assert target.stat().st_mode & 0o777 == 0o600
