"""Batch files: what comes back gives the scores that asking directly gives, and wrong files are refused in words."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.app import run_command
from evalkit.content.candidates import load_candidate
from evalkit.content.suites import load_suite
from evalkit.core.request import Key, Request
from evalkit.runner.batch_export import BatchLimits, export_new
from evalkit.runner.batch_ids import custom_id, read_custom_id, request_mark
from evalkit.runner.run import RunSettings, prepare_run
from tests.runner.batches import carry_out, write_rows
from tests.runner.suites import write_suite
from tests.runner.test_judge import JUDGE
from tests.runner.test_merge import SUITE, document, reply
from tests.servers import Answer, Fault, ModelServer


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a suite of two tasks, and a judge."""
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path / "suite", n=12, suite=SUITE)
    (tmp_path / "judges/correct").mkdir(parents=True)
    (tmp_path / "judges/correct/judge.yaml").write_text(JUDGE)


@pytest.fixture
def server():
    with ModelServer(reply=reply) as running:
        yield running


def models(url: str) -> list[str]:
    return ["suite", "--candidate", f"openai:adds@{url}", "--judge", f"correct=openai:judge@{url}"]


def run(url: str, *more: str) -> int:
    return run_command("run", [*models(url), *more])


def export(url: str, *more: str, out: str = "requests.jsonl", code: int = 0) -> None:
    assert run_command("requests", ["export", *models(url), "--run-id", "batch", "--out", out, *more]) == code


def export_judge(out: str = "judge.jsonl") -> None:
    assert run_command("requests", ["export", "--run", "batch", "--judge", "correct", "--out", out]) == 0


def import_(*files: str) -> int:
    return run_command("requests", ["import", "batch", *files, "--suite", "suite"])


def manifest(run_id: str = "batch") -> dict[str, Any]:
    return document(f"runs/{run_id}/manifest.json")


def responses(run_id: str = "batch") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(f"runs/{run_id}/responses.jsonl").read_text().splitlines()]


def test_a_batch_gives_the_scores_that_asking_directly_gives(server, capsys):
    assert run(server.base_url, "--run-id", "direct") == 0
    asked = len(server.bodies)
    export(server.base_url)
    assert len(server.bodies) == asked
    assert manifest()["status"] == "incomplete"
    results = carry_out(Path("requests.jsonl"), server.base_url)
    assert len(results) == 36
    capsys.readouterr()
    assert import_(write_rows("results.jsonl", results)) == 0
    said = capsys.readouterr().out
    assert "results: 36 answers" in said
    assert "judge correct is to be asked 24 requests: " in said
    assert "requests export --run runs/batch --judge correct --out correct.jsonl; or ask directly: " in said
    assert manifest()["status"] == "incomplete"
    export_judge()
    assert import_(write_rows("verdicts.jsonl", carry_out(Path("judge.jsonl"), server.base_url))) == 0
    assert document("runs/batch/summary.json")["metrics"] == document("runs/direct/summary.json")["metrics"]
    for name in ("counts", "digests", "judges", "status", "partial", "served"):
        assert manifest()[name] == manifest("direct")[name], name
    # The very bodies that the engine sends were in the files: each came as often again.
    assert all(times % 2 == 0 for times in server.requests_by_digest.values())
    by_key = [{json.dumps(row["key"]): row for row in responses(run_id)} for run_id in ("batch", "direct")]
    for key, row in by_key[1].items():
        del row["timing"]
        assert by_key[0][key] == row
    assert run_command("compare", ["direct", "batch"]) == 0


def test_the_judge_s_references_are_kept_as_when_it_is_asked_directly(server):
    assert run(server.base_url, "--run-id", "direct") == 0
    export(server.base_url)
    assert import_(write_rows("results.jsonl", carry_out(Path("requests.jsonl"), server.base_url))) == 0
    export_judge()
    assert import_(write_rows("verdicts.jsonl", carry_out(Path("judge.jsonl"), server.base_url))) == 0
    lines = [
        sorted(next(Path(f"runs/{name}/judging/correct").glob("*/requests.jsonl")).read_text().splitlines())
        for name in ("direct", "batch")
    ]
    assert [line.replace('"direct"', '"batch"') for line in lines[0]] == lines[1]


def test_what_a_batch_did_not_answer_is_asked_directly_by_resume(server):
    assert run(server.base_url, "--run-id", "direct") == 0
    export(server.base_url)
    results = carry_out(Path("requests.jsonl"), server.base_url)
    assert import_(write_rows("results.jsonl", results[:20])) == 0
    before = len(server.bodies)
    assert run(server.base_url, "--run-id", "batch", "--resume") == 0
    assert len(server.bodies) - before == 16 + 24
    assert document("runs/batch/summary.json")["metrics"] == document("runs/direct/summary.json")["metrics"]


def test_portions_come_in_any_order_and_nothing_is_taken_twice(server, capsys):
    export(server.base_url)
    results = carry_out(Path("requests.jsonl"), server.base_url)
    one, two = write_rows("one.jsonl", results[:20]), write_rows("two.jsonl", results[10:])
    assert import_(one) == 0
    assert len(responses()) == 20
    capsys.readouterr()
    assert import_(two) == 0
    assert "results: 16 answers, 10 known before" in capsys.readouterr().out
    assert import_(one, two) == 0
    assert "0 answers, 36 known before, 10 about a request that another line" in capsys.readouterr().out
    assert len(responses()) == 36
    counts = manifest()["counts"]
    export(server.base_url, "--resume", out="more.jsonl")
    assert "nothing is left to ask" in capsys.readouterr().out
    assert not Path("more.jsonl").exists()
    assert manifest()["counts"] == counts


def test_an_export_that_goes_on_writes_only_what_has_no_answer(server):
    export(server.base_url)
    results = carry_out(Path("requests.jsonl"), server.base_url)
    assert import_(write_rows("results.jsonl", results[6:])) == 0
    export(server.base_url, "--resume", out="rest.jsonl")
    rest = [json.loads(line)["custom_id"] for line in Path("rest.jsonl").read_text().splitlines()]
    assert sorted(rest) == sorted(row["custom_id"] for row in results[:6])
    assert run_command("requests", ["export", "--run", "batch", "--out", "again.jsonl"]) == 0
    assert Path("again.jsonl").read_bytes() == Path("rest.jsonl").read_bytes()


FAILED: list[tuple[dict[str, Any], str, str]] = [
    ({"response": {"status_code": 500, "body": {"error": {"message": "out of order"}}}}, "system", "http_500"),
    ({"response": {"status_code": 429, "body": None}, "error": {"message": "slow down"}}, "system", "http_429"),
    (
        {"response": {"status_code": 400, "body": {"error": {"code": "context_length_exceeded", "message": "long"}}}},
        "candidate",
        "prompt_too_long",
    ),
    # vllm run-batch: no body, the error beside it.
    (
        {
            "response": {"status_code": 400, "request_id": "vllm-batch-1", "body": None},
            "error": {"error": {"message": "This model's maximum context length is 64 tokens", "code": 400}},
        },
        "candidate",
        "prompt_too_long",
    ),
    ({"response": None, "error": {"code": "batch_expired", "message": "too late"}}, "system", "batch_expired"),
    ({"response": None, "error": "it broke"}, "system", "batch_error"),
    ({"error": None, "response": {"status_code": 200, "body": {"choices": []}}}, "system", "bad_body"),
    ({"error": None, "response": {"status_code": 200, "body": None}}, "system", "bad_body"),
    ({"error": None, "response": {"status_code": "odd", "body": None}}, "system", "http_0"),
]


@pytest.mark.parametrize(("told", "blame", "kind"), FAILED)
def test_a_failed_result_is_the_failure_that_the_engine_would_have_found(server, told, blame, kind):
    export(server.base_url, "--limit", "1", "--task", "again")
    row = {"id": "b", "custom_id": json.loads(Path("requests.jsonl").read_text())["custom_id"], **told}
    assert import_(write_rows("errors.jsonl", [row])) == (4 if blame == "system" else 0)
    assert import_("errors.jsonl") == (4 if blame == "system" else 0)
    (failure,) = [response["failure"] for response in responses()]
    assert (failure["blame"], failure["kind"], failure["stage"]) == (blame, kind, "generate")
    assert manifest()["counts"][f"{blame}:{kind}"] == 1


def test_an_answer_comes_after_a_failure_and_never_the_other_way_round(server):
    export(server.base_url, "--limit", "1", "--task", "again")
    (answer,) = carry_out(Path("requests.jsonl"), server.base_url)
    failure = {**answer, "response": {"status_code": 500, "body": None}}
    assert import_(write_rows("errors.jsonl", [failure])) == 4
    assert import_(write_rows("both.jsonl", [answer, failure])) == 0
    assert import_("errors.jsonl") == 0
    assert [("failure" in response) for response in responses()] == [True, False]
    assert manifest()["counts"]["failed_system"] == 0
    assert not [name for name in manifest()["counts"] if name.startswith("system:")]


def test_errors_of_the_service_and_cut_answers_come_out_as_over_http():
    def limited(body: dict[str, Any]) -> str | Answer:
        said = reply(body)
        return Answer(said, finish_reason="length") if "3 + 4" in body["messages"][-1]["content"] else said

    def broken(body: dict[str, Any], number: int) -> Fault | None:
        said = body["messages"][-1]["content"]
        too_long = '{"error": {"message": "maximum context length is 9"}}'
        return Fault("status", status=400, body=too_long) if said.startswith("5 + 6") else None

    with ModelServer(reply=limited, faults=broken) as server:
        assert run(server.base_url, "--run-id", "direct", "--task", "again") == 0
        export(server.base_url, "--task", "again")
        assert import_(write_rows("results.jsonl", carry_out(Path("requests.jsonl"), server.base_url))) == 0
    assert manifest()["counts"] == manifest("direct")["counts"]
    assert manifest()["counts"]["candidate:prompt_too_long"] == 1
    assert manifest()["counts"]["candidate:ran_out_of_tokens"] == 1
    assert document("runs/batch/summary.json")["metrics"] == document("runs/direct/summary.json")["metrics"]


def test_a_verdict_that_cannot_be_read_is_exported_once_more_and_then_missing(server):
    export(server.base_url, "--limit", "1", "--task", "sums")
    assert import_(write_rows("results.jsonl", carry_out(Path("requests.jsonl"), server.base_url))) == 0
    with ModelServer(reply=lambda body: "I would rather not say.") as mute:
        for number in (1, 2):
            export_judge(f"judge-{number}.jsonl" if number == 1 else "again.jsonl")
            written = Path("judge-1.jsonl" if number == 1 else "again.jsonl")
            assert len(written.read_text().splitlines()) == 2
            assert import_(write_rows(f"verdicts{number}.jsonl", carry_out(written, mute.base_url))) == 0
    assert manifest()["status"] == "complete"
    assert manifest()["counts"]["failed_judge"] == 2


def refusal(capsys: pytest.CaptureFixture[str], *files: str) -> str:
    capsys.readouterr()
    before = responses() if Path("runs/batch/responses.jsonl").exists() else []
    assert import_(*files) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("evalkit: error")]
    assert len(lines) == 1
    assert (responses() if Path("runs/batch/responses.jsonl").exists() else []) == before
    return lines[0]


def test_wrong_files_are_refused_with_their_line_and_change_nothing(server, capsys):
    export(server.base_url)
    results = carry_out(Path("requests.jsonl"), server.base_url)
    good = write_rows("good.jsonl", results)
    assert run_command("requests", ["export", *models(server.base_url), "--run-id", "other", "--out", "o.jsonl"]) == 0
    foreign = write_rows("foreign.jsonl", results[:3] + carry_out(Path("o.jsonl"), server.base_url))
    assert "foreign.jsonl:4: is the result of another run's request" in refusal(capsys, good, foreign)
    assert "requests.jsonl:1: is no result of a batch" in refusal(capsys, "requests.jsonl")
    assert "nosuch.jsonl: cannot be read" in refusal(capsys, good, "nosuch.jsonl")
    Path("bad.jsonl").write_text(json.dumps(results[0]) + "\n{broken\n" + json.dumps(results[1]) + "\n")
    assert "bad.jsonl:2:2: not JSON" in refusal(capsys, "bad.jsonl")
    Path("list.jsonl").write_text("[1]\n")
    assert "list.jsonl:1:1: each line must be one JSON object" in refusal(capsys, "list.jsonl")
    assert "anonymous.jsonl:1: is no result" in refusal(capsys, write_rows("anonymous.jsonl", [{"response": {}}]))


def test_a_file_cut_off_in_the_middle_is_said_and_its_whole_lines_count(server, capsys):
    export(server.base_url)
    results = carry_out(Path("requests.jsonl"), server.base_url)
    path = Path(write_rows("results.jsonl", results))
    path.write_bytes(path.read_bytes()[:-30])
    assert import_("results.jsonl") == 0
    said = capsys.readouterr().out
    assert "results.jsonl: cut off in its last line" in said
    assert "results: 35 answers" in said
    assert "1 requests have no answer yet" in said
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(json.dumps(row) for row in results).encode())  # whole, no last newline
    assert import_("results.jsonl") == 0
    assert "results: 1 answers, 35 known before" in capsys.readouterr().out


def test_results_that_nobody_asked_for_are_counted_and_left(server, capsys):
    export(server.base_url)
    (first, *_) = carry_out(Path("requests.jsonl"), server.base_url)
    stranger = {**first, "custom_id": "request-1"}
    invented = {**first, "custom_id": first["custom_id"][:-4] + "0000"}
    assert import_(write_rows("results.jsonl", [stranger, invented, first, first])) == 0
    said = capsys.readouterr().out
    assert "results: 1 answers, 1 about a request that another line is about, 2 with a custom_id that is none" in said
    assert len(responses()) == 1


def test_a_judge_that_has_no_batch_files_stops_no_import(server, capsys):
    arguments = ["suite", "--candidate", f"openai:adds@{server.base_url}", "--judge", "correct=echo"]
    assert run_command("requests", ["export", *arguments, "--run-id", "batch", "--out", "requests.jsonl"]) == 0
    results = carry_out(Path("requests.jsonl"), server.base_url)
    stranger = {**results[0], "custom_id": results[0]["custom_id"][:-4] + "0000"}
    assert import_(write_rows("results.jsonl", [*results, stranger])) == 0
    assert "results: 36 answers, 1 with a custom_id that is none of this run's" in capsys.readouterr().out
    assert run_command("requests", ["export", "--run", "batch", "--judge", "correct", "--out", "judge.jsonl"]) == 2
    assert "engine echo has no batch files" in capsys.readouterr().err


def test_an_answer_form_and_a_key_of_the_environment_are_treated_as_over_http(server, monkeypatch, capsys):
    monkeypatch.setenv("TEAM_TOKEN", "very-secret-token")
    Path("candidates").mkdir()
    Path("candidates/adds.yaml").write_text(
        f"name: adds\nengine: openai_http\nmodel: adds\nrevision: '1'\nextra_body: {{top_k: 1}}\n"
        f"engine_args: {{base_url: '{server.base_url}', headers: {{X-Team: '${{TEAM_TOKEN}}'}}, stream: true}}\n"
    )
    arguments = ["suite", "--candidate", "adds", "--judge", "correct=echo", "--task", "again", "--run-id", "batch"]
    assert run_command("requests", ["export", *arguments, "--out", "requests.jsonl"]) == 0
    assert "not in the file, to be set where it is sent: engine_args.headers (X-Team)" in capsys.readouterr().out
    body = json.loads(Path("requests.jsonl").read_text().splitlines()[0])["body"]
    assert body["top_k"] == 1
    assert "stream" not in body
    assert "very-secret-token" not in Path("requests.jsonl").read_text()
    (row, *_) = carry_out(Path("requests.jsonl"), server.base_url)
    row["response"]["body"]["choices"][0]["message"]["content"] = "the key is very-secret-token"
    assert import_(write_rows("results.jsonl", [row])) == 0
    assert responses()[0]["text"] == "the key is [hidden]"


def test_requests_for_vllm_run_batch_say_what_vllm_is_to_be_told(capsys):
    Path("candidates").mkdir()
    Path("candidates/local.yaml").write_text(
        "name: local\nengine: vllm\nmodel: models/none\ndtype: bfloat16\nchat_template_args: {enable_thinking: false}\n"
        "engine_args: {max_model_len: 512, lora: adapters/tone}\n"
    )
    arguments = ["suite", "--candidate", "local", "--judge", "correct=echo", "--run-id", "batch"]
    assert run_command("requests", ["export", *arguments, "--out", "requests.jsonl"]) == 0
    heard = capsys.readouterr()
    assert "vllm run-batch -i requests.jsonl -o results.jsonl --model models/none --generation-config vllm" in heard.out
    assert "dtype bfloat16; engine_args.max_model_len" in heard.out
    assert "--enable-lora --lora-modules local=adapters/tone" in heard.out
    assert "the model that will answer is not here" in heard.err
    row = json.loads(Path("requests.jsonl").read_text().splitlines()[0])
    assert row["body"]["model"] == "local"
    assert row["body"]["chat_template_kwargs"] == {"enable_thinking": False}


def test_an_engine_without_batch_files_is_refused_before_anything_is_made(capsys):
    arguments = ["suite", "--candidate", "echo", "--judge", "correct=echo", "--out", "requests.jsonl"]
    assert run_command("requests", ["export", *arguments]) == 2
    assert "engine echo has no batch files" in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "--out", "o"], "name SUITE and --candidate for a new run"),
        (["export", "suite", "--run", "batch", "--out", "o"], "leave SUITE and --candidate out"),
        (["export", "--run", "nosuch", "--out", "o"], 'no run "nosuch"'),
        (["export", "--run", "batch", "--judge", "tone", "--out", "o"], 'judge "tone" is not known'),
        (["export", "--run", "batch", "--judge", "correct=echo", "--out", "o"], "without a model"),
        (["export", "--run", "batch", "--out", "requests.jsonl"], "is there already: choose another --out"),
        (["import", "nosuch", "requests.jsonl"], 'no run "nosuch"'),
    ],
)
def test_wrong_arguments_are_one_sentence(server, capsys, arguments, words):
    export(server.base_url, "--limit", "1")
    assert run_command("requests", arguments) == 2
    assert words in capsys.readouterr().err


def test_files_are_split_at_the_limits_of_a_batch(server, capsys):
    candidate = load_candidate(f"openai:adds@{server.base_url}")
    for name, limits in {"lines": BatchLimits(lines=10), "bytes": BatchLimits(bytes=3000)}.items():
        settings = RunSettings(run_id=name, judges={"correct": "echo"})
        prepared = prepare_run(load_suite("suite"), candidate, settings)
        written = export_new(prepared, Path(name, "requests.jsonl"), limits=limits).files
        assert [path.name for path in written][:2] == ["requests-0001.jsonl", "requests-0002.jsonl"]
        assert sorted(Path(name).iterdir()) == list(written)
        rows = [json.loads(line) for path in written for line in path.read_text().splitlines()]
        assert len({row["custom_id"] for row in rows}) == 36
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in written)
        assert all(path.stat().st_size <= limits.bytes for path in written)
        assert all(len(path.read_text().splitlines()) <= limits.lines for path in written)


def test_shards_are_exported_and_imported_each_and_merged(server):
    assert run(server.base_url, "--run-id", "whole", "--task", "again") == 0
    for part in (1, 2):
        arguments = [*models(server.base_url), "--task", "again", "--shard", f"{part}/2", "--runs", "shards"]
        assert run_command("requests", ["export", *arguments, "--run-id", f"s{part}", "--out", f"r{part}.jsonl"]) == 0
        results = write_rows(f"results{part}.jsonl", carry_out(Path(f"r{part}.jsonl"), server.base_url))
        assert run_command("requests", ["import", f"shards/s{part}", results, "--suite", "suite"]) == 0
    assert run_command("merge", ["shards", "--run-id", "merged"]) == 0
    assert document("runs/merged/summary.json")["metrics"] == document("runs/whole/summary.json")["metrics"]


def test_a_custom_id_is_short_and_one_request_s_alone():
    request = Request(key=Key(task="t" * 300, sample_id="ü" * 300), messages=())
    other = request.model_copy(update={"key": Key(task="t" * 300, sample_id="ü" * 300, attempt=1)})
    written = custom_id("0123456789ab", request)
    assert re.fullmatch(r"[a-z0-9-]{53}", written)
    assert read_custom_id(written) == ("0123456789ab", request_mark(request))
    assert request_mark(other) != request_mark(request)
