"""Answers of earlier runs: what is answered from them, and what never is."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from evalkit.cli.app import run_command
from evalkit.core.candidate import Candidate, Price
from evalkit.core.request import Key, Request
from evalkit.core.response import Response, Timing
from evalkit.core.suite import Suite
from evalkit.runner.cached import as_kept, as_response, cache_key, may_be_cached, measured_tasks, why_not_cached
from tests.runner.suites import SUITE, write_answers, write_suite
from tests.runner.test_judge import JUDGE, verdict
from tests.servers import Answer, Fault, ModelServer
from tests.strategies import requests, responses

N = 10


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of ten sums; answers are kept in `kept`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVALKIT_CACHE", "kept")
    write_suite(tmp_path / "suite", N)
    return tmp_path


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(reply=lambda body: "1") as server:
        yield server


def candidate(url: str, revision: str | None = "r1", **fields: Any) -> str:
    """The path of a candidate behind a server."""
    path = Path(f"{fields.get('name', 'c')}.yaml")
    arguments = {"base_url": url} | fields.pop("engine_args", {})
    written = {"name": "c", "engine": "openai_http", "model": "m", "engine_args": arguments} | fields
    path.write_text(json.dumps(written if revision is None else written | {"revision": revision}))
    return str(path)


def run(*arguments: str, code: int = 0) -> None:
    assert run_command("run", ["suite", *arguments]) == code


def asked(server: ModelServer, *arguments: str) -> int:
    """How many requests one run sends."""
    before = len(server.bodies)
    run(*arguments)
    return len(server.bodies) - before


def lines(name: str, run_id: str = "*") -> list[dict[str, Any]]:
    """Every line of a file of the runs."""
    paths = sorted(Path("runs").glob(f"{run_id}/{name}"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_a_second_run_asks_nothing_and_comes_to_the_same(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    one = candidate(server.base_url)
    assert asked(server, "--candidate", one, "--run-id", "a") == N
    assert asked(server, "--candidate", one, "--run-id", "b") == 0
    first, second = lines("responses.jsonl", "a"), lines("responses.jsonl", "b")
    by_sample = {line["key"]["sample_id"]: line for line in first}
    for line in second:
        before = by_sample[line["key"]["sample_id"]]
        assert line.pop("from_cache") and "timing" not in line and "usage" in line
        assert line == {name: value for name, value in before.items() if name != "timing"}
    summaries = [json.loads(Path(f"runs/{name}/summary.json").read_text())["metrics"] for name in "ab"]
    assert summaries[0] == summaries[1]
    counts = [json.loads(Path(f"runs/{name}/manifest.json").read_text())["counts"] for name in "ab"]
    assert [each["from_cache"] for each in counts] == [0, N]
    said = capsys.readouterr()
    assert "10 of 10 answers from the cache" in said.out
    assert "c: 10 of 10 answers from the cache" in said.err


def test_only_what_is_new_is_asked(server: ModelServer) -> None:
    one = candidate(server.base_url)
    assert asked(server, "--candidate", one, "--limit", "4") == 4
    assert asked(server, "--candidate", one) == N - 4
    assert asked(server, "--candidate", candidate(server.base_url, sampling={"max_tokens": 17})) == N


def test_a_model_without_a_declared_revision_is_asked_again(
    server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert asked(server, "--candidate", candidate(server.base_url, revision=None)) == N
    assert "declare its `revision`" in capsys.readouterr().err
    assert not Path("kept").exists()


def test_another_revision_is_another_model_and_another_address_is_not(server: ModelServer) -> None:
    assert asked(server, "--candidate", candidate(server.base_url)) == N
    assert asked(server, "--candidate", candidate(server.base_url, "r2")) == N
    with ModelServer(reply=lambda body: "1") as elsewhere:
        assert asked(elsewhere, "--candidate", candidate(elsewhere.base_url)) == 0
        assert asked(elsewhere, "--candidate", candidate(elsewhere.base_url, "r3")) == N


def test_flags_and_environment_leave_the_cache_out(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    one = candidate(server.base_url)
    assert asked(server, "--candidate", one) == N
    assert asked(server, "--candidate", one, "--no-cache") == N
    assert asked(server, "--candidate", one, "--cache", "other") == N
    assert asked(server, "--candidate", one, "--cache", "other") == 0
    monkeypatch.setenv("EVALKIT_CACHE", "off")
    assert asked(server, "--candidate", one) == N


def test_a_broken_cache_stops_no_run(server: ModelServer, capsys: pytest.CaptureFixture[str]) -> None:
    one = candidate(server.base_url)
    Path("kept").write_text("a file where a folder is needed")
    assert asked(server, "--candidate", one) == N
    Path("kept").unlink()
    Path("kept").mkdir()
    Path("kept/responses.sqlite").write_bytes(b"Once upon a time " * 2000)
    assert asked(server, "--candidate", one) == N
    assert capsys.readouterr().err.count("The run goes on without it.") == 2


def test_attempts_without_a_seed_are_drawn_anew(server: ModelServer, folder: Path) -> None:
    one = candidate(server.base_url)
    drawn = SUITE.replace("temperature: 0", "temperature: 1, attempts: 3")
    write_suite(folder / "suite", N, drawn)
    assert [asked(server, "--candidate", one) for _ in range(2)] == [3 * N, 3 * N]
    write_suite(folder / "suite", N, drawn.replace("attempts: 3", "attempts: 3, seed: 7"))
    assert [asked(server, "--candidate", one) for _ in range(2)] == [3 * N, 0]


def test_a_task_of_latency_is_measured_anew(server: ModelServer, folder: Path) -> None:
    one = candidate(server.base_url)
    assert asked(server, "--candidate", one) == N
    write_suite(folder / "suite", N, SUITE.replace("data:", "kind: latency\n    data:"))
    assert [asked(server, "--candidate", one) for _ in range(2)] == [N, N]
    assert not any(line.get("from_cache") for line in lines("responses.jsonl"))


def test_a_cost_by_the_hour_is_measured_anew() -> None:
    suite = Suite.model_validate(
        {
            "name": "s",
            "tasks": [{"name": "sums", "data": {"file": "sums.jsonl"}, "scorers": [{"name": "c", "scorer": "cost"}]}],
        }
    )
    model = Candidate(name="c", engine="e")
    by_hour = Price.model_validate({"usd_per_gpu_hour": 2, "as_of": "2026-11-01"})
    by_token = Price.model_validate({"usd_per_million_input": 1, "usd_per_million_output": 2, "as_of": "2026-11-01"})
    assert measured_tasks(suite, model) == frozenset()
    assert measured_tasks(suite, model.model_copy(update={"price": by_token})) == frozenset()
    assert measured_tasks(suite, model.model_copy(update={"price": by_hour})) == {"sums"}


def test_a_failure_of_the_system_is_asked_again_and_one_of_the_candidate_is_an_answer() -> None:
    def faults(body: dict[str, Any], number: int) -> Fault | None:
        return Fault("status", 500) if number == 3 else None

    def cut(body: dict[str, Any]) -> Answer:
        return Answer("too lo", finish_reason="length")

    with ModelServer(reply=cut, faults=faults) as server:
        one = candidate(server.base_url, engine_args={"max_retries": 0})
        run("--candidate", one, code=4)
        assert asked(server, "--candidate", one, "--run-id", "again") == 1
    again = lines("responses.jsonl", "again")
    assert {line["failure"]["kind"] for line in again} == {"ran_out_of_tokens"}
    assert sum(line.get("from_cache", False) for line in again) == N - 1


def test_a_prompt_that_was_too_long_is_asked_again() -> None:
    too_long = Fault("status", 400, body='{"error": {"message": "maximum context length is 4 tokens"}}')
    with ModelServer(reply=lambda body: "1", faults=[too_long] * N) as server:
        one = candidate(server.base_url)
        run("--candidate", one)
        assert {line["failure"]["kind"] for line in lines("responses.jsonl")} == {"prompt_too_long"}
        assert asked(server, "--candidate", one) == N


def write_judge(folder: Path, **changed: Any) -> None:
    write_suite(folder / "suite", N, SUITE.replace("[number]", "['judge:correct']"))
    write_answers(folder, N, wrong={"new": {1, 2, 3}})
    (folder / "judges/correct").mkdir(parents=True, exist_ok=True)
    more = "".join(f"{name}: {json.dumps(value)}\n" for name, value in changed.items())
    (folder / "judges/correct/judge.yaml").write_text(JUDGE + more)


def judged(server: ModelServer, system: str = "new", *more: str) -> int:
    """How many verdicts one run asks for."""
    return asked(
        server,
        "--candidate", f"replay:answers.jsonl#{system}",
        "--judge", f"correct={candidate(server.base_url, name='judge')}",
        *more,
    )  # fmt: skip


def test_a_judge_is_not_asked_again_about_the_same_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_judge(folder)
    with ModelServer(reply=verdict) as server:
        assert judged(server, "old", "--run-id", "old") == N
        assert judged(server, "new", "--run-id", "new") == 3  # the other seven were answered alike
        assert judged(server, "new", "--run-id", "again") == 0
    assert [line["label"] for line in lines("scores.jsonl", "new")].count("no") == 3
    labels = [
        {line["key"]["sample_id"]: line["label"] for line in lines("scores.jsonl", name)} for name in ("new", "again")
    ]
    assert labels[0] == labels[1]
    assert "judge: 10 of 10 answers from the cache" in capsys.readouterr().err


def test_a_verdict_that_cannot_be_read_is_never_the_answer_to_its_own_retry(folder: Path) -> None:
    write_judge(folder, max_asks=3)
    with ModelServer(reply=lambda body: "I would rather not say.") as server:
        assert judged(server, "new", "--run-id", "a") == 3 * N
        assert judged(server, "new", "--run-id", "b") == 0
    tries = [line["judge_key"].get("retry", 0) for line in lines("judging/correct/*/responses.jsonl", "b")]
    assert sorted(tries) == sorted([0, 1, 2] * N)
    assert {line["failure"]["kind"] for line in lines("scores.jsonl")} == {"no_verdict"}


def test_each_vote_is_a_draw_of_its_own(folder: Path) -> None:
    said = iter(range(10**6))

    def undecided(body: dict[str, Any]) -> str:
        return f"Draw {next(said)}.\nVERDICT: yes"

    for sampling in ({"temperature": 1}, {"temperature": 0}, {"temperature": 1, "seed": 5}):
        write_judge(folder, votes=3, sampling=sampling)
        with ModelServer(reply=undecided) as server:
            assert judged(server) == 3 * N
            assert judged(server) == 0
    for found in Path("runs").glob("*/judging/correct/*/responses.jsonl"):
        texts = [json.loads(line)["text"] for line in found.read_text().splitlines()]
        assert len(texts) == len(set(texts)) == 3 * N


def test_scoring_again_and_calibrating_take_verdicts_from_the_cache(folder: Path) -> None:
    write_judge(folder)
    labels = [
        {"item_id": f"sum-{n}", "system": "new", "annotator": "ann", "criterion": "correct", "value": "yes"}
        for n in range(N)
    ]
    items = [{"item_id": f"sum-{n}", "prompt": f"{n} + {n + 1} = ?"} for n in range(N)]
    for name, rows in (("labels", labels), ("items", items)):
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with ModelServer(reply=verdict) as server:
        assert judged(server, "new", "--run-id", "new") == N
        for path in Path("runs/new/judging").rglob("responses.jsonl"):
            path.unlink()
        Path("runs/new/scores.jsonl").unlink()
        assert run_command("score", ["new", "--suite", "suite"]) == 0
        assert len(server.bodies) == N
        assert len(lines("scores.jsonl", "new")) == N
        arguments = ["correct", "--judge", f"correct={candidate(server.base_url, name='judge')}"]
        arguments += ["--labels", "labels.jsonl", "--items", "items.jsonl", "--responses", "answers.jsonl"]
        before = len(server.bodies)
        assert run_command("calibrate", [*arguments, "--out", "card"]) == 0
        first = len(server.bodies) - before
        assert run_command("calibrate", [*arguments, "--out", "card-2"]) == 0
        assert len(server.bodies) - before == first


def test_a_local_model_is_known_by_its_weights_wherever_they_lie(checkpoint: Path, folder: Path) -> None:
    shutil.copytree(checkpoint, folder / "copy")
    write_suite(folder / "suite", 3)
    for name, model in (("a", checkpoint), ("b", folder / "copy")):
        run("--candidate", f"transformers:{model}", "--run-id", name)
    assert [line.get("from_cache", False) for line in lines("responses.jsonl", "b")] == [True] * 3
    texts = [{line["key"]["sample_id"]: line["text"] for line in lines("responses.jsonl", name)} for name in "ab"]
    assert texts[0] == texts[1]
    assert not any(line.get("from_cache") for line in lines("responses.jsonl", "a"))
    weights = folder / "copy" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    run("--candidate", f"transformers:{folder / 'copy'}", "--run-id", "c")
    assert not any(line.get("from_cache") for line in lines("responses.jsonl", "c"))


def test_both_arms_of_a_release_go_through_the_cache(server: ModelServer) -> None:
    one, two = candidate(server.base_url), candidate(server.base_url, "r2", name="d")
    for expected in (2 * N, 2 * N):
        assert run_command("release", ["suite", "--baseline", one, "--candidate", two, "--out", "out"]) in (0, 3)
        assert len(server.bodies) == expected


class Known:
    """An engine of which only what it serves is known."""

    concurrency, loading, version = 1, "", "1"
    warnings: tuple[str, ...] = ()
    transport_arguments = frozenset[str]()

    def __init__(self, name: str, **served: str):
        self.name, self.served = name, served

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def respond(self, request: Request) -> Response:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("engine", "fields", "is_kept"),
    [
        (Known("vllm", weights="a1", tokenizer="b2"), {}, True),
        (Known("vllm", weights="a1", tokenizer="b2"), {"engine_args": {"tokenizer": "folder"}}, True),
        (Known("vllm", weights="a1"), {"engine_args": {"tokenizer": "org/name"}}, False),
        (Known("vllm", commit="c3"), {}, True),
        (Known("vllm", commit=""), {}, False),
        (Known("openai_http", base_url="http://a/v1"), {}, False),
        (Known("openai_http", base_url="http://a/v1"), {"revision": "r1"}, True),
        (Known("replay", digest="d4"), {"revision": "r1"}, False),
        (Known("echo"), {"revision": "r1"}, False),
    ],
)
def test_only_a_model_that_is_known_is_answered_for(engine: Known, fields: dict[str, Any], is_kept: bool) -> None:
    reason = why_not_cached(engine, Candidate(name="c", engine=engine.name, model="m", **fields))
    assert (reason is None) == is_kept


@given(requests(), responses())
def test_a_kept_answer_is_the_answer_of_whoever_asks(request: Request, response: Response) -> None:
    given_back = as_response(as_kept(response), request)
    assert given_back is not None
    own = {
        "key": request.key,
        "judge_key": None,
        "request_digest": request.digest,
        "timing": Timing(),
        "from_cache": True,
    }
    assert given_back == response.model_copy(update=own)


def test_an_answer_of_an_unknown_form_is_not_given() -> None:
    request = Request(key=Key(task="t", sample_id="1"), messages=())
    for kept in (b'{"text":"4","spoken":true}', b"[4]", b"4", b"{"):
        assert as_response(kept, request) is None


def test_a_request_of_a_measured_load_is_never_answered_from_the_cache() -> None:
    request = Request(key=Key(task="t", sample_id="1"), messages=())
    assert may_be_cached(request, frozenset())
    assert not may_be_cached(request.model_copy(update={"send_at_s": 0.5}), frozenset())
    assert not may_be_cached(request, frozenset({"t"}))


def test_two_samples_that_ask_the_same_get_a_draw_each_where_the_model_draws() -> None:
    def key_of(sample_id: str, **sampling: Any) -> bytes:
        made = {"key": {"task": "t", "sample_id": sample_id}, "messages": (), "sampling": sampling}
        return cache_key(Request.model_validate(made), "identity")

    assert key_of("1") == key_of("2") != key_of("1", max_tokens=7)
    assert key_of("1", temperature=1) != key_of("2", temperature=1)
    assert key_of("1", temperature=1, seed=3) == key_of("2", temperature=1, seed=3)
