"""What becomes of a request, against a real server."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.request import AnswerForm, JudgeKey, Key, Request, Sampling
from evalkit.core.response import Response, Usage
from evalkit.engines.base import EngineContext
from evalkit.engines.openai_http import OpenAIHttpEngine
from tests.servers import Answer, Fault, ModelServer

LABELS = AnswerForm(kind="labels", labels=("none", "partial", "full"))


@pytest.fixture(autouse=True)
def _no_key_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def ask(text: str = "2 + 2?", **fields: Any) -> Request:
    return Request(key=Key(task="t", sample_id=text), messages=(Message(role="user", content=text),), **fields)


def open_engine(
    base_url: str, *, context: EngineContext | None = None, extra_body: dict[str, Any] | None = None, **engine_args: Any
) -> OpenAIHttpEngine:
    candidate = Candidate(
        name="c",
        engine="openai_http",
        model="m",
        engine_args={"base_url": base_url} | engine_args,
        extra_body=extra_body or {},
    )
    engine = OpenAIHttpEngine(candidate, context or EngineContext())
    engine.retry_policy = replace(engine.retry_policy, first_wait_s=0.01)
    return engine


def respond(engine: OpenAIHttpEngine, *requests: Request) -> list[Response]:
    async def run() -> list[Response]:
        await engine.start()
        try:
            return await asyncio.gather(*[engine.respond(request) for request in requests])
        finally:
            await engine.close()

    return asyncio.run(run())


def one(server: ModelServer, request: Request | None = None, **options: Any) -> Response:
    [response] = respond(open_engine(server.base_url, **options), request or ask())
    return response


def test_an_answer_comes_with_all_that_the_server_told() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    answer = Answer(
        "4",
        message={"reasoning_content": "let me add", "tool_calls": [call]},
        choice={"stop_reason": 7},
        top={"usage": usage, "system_fingerprint": "fp", "model": "m-2026"},
    )
    request = ask(judge_key=JudgeKey(judge="j"))
    with ModelServer(lambda body: answer) as server:
        response = one(server, request)
    assert response.text == "4"
    assert response.reasoning == "let me add"
    assert response.tool_calls == (call,)
    assert (response.finish_reason, response.stop_reason) == ("stop", "7")
    assert (response.served_model, response.fingerprint) == ("m-2026", "fp")
    assert response.usage == Usage(prompt_tokens=9, cached_tokens=4, output_tokens=5, reasoning_tokens=3)
    assert (response.request_digest, response.key) == (request.digest, request.key)
    assert response.judge_key == request.judge_key
    assert response.failure is None
    assert response.timing.e2e_s is not None
    assert response.timing.ttft_s is None


def test_what_is_sent_is_the_request_with_the_candidates_extra_body_last() -> None:
    sampling = Sampling(temperature=0.5, max_tokens=8, seed=3, stop=("END",))
    tool = {"type": "function", "function": {"name": "f"}}
    request = ask("hi", sampling=sampling, tools=(tool,))
    with ModelServer() as server:
        one(server, request, max_tokens_field="max_completion_tokens", extra_body={"top_k": 1, "temperature": 0.7})
    assert server.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.7,
            "top_p": 1.0,
            "max_completion_tokens": 8,
            "seed": 3,
            "stop": ["END"],
            "tools": [tool],
            "top_k": 1,
        }
    ]


def test_lone_surrogates_survive_both_ways() -> None:
    with ModelServer() as server:
        assert one(server, ask("a\ud800b")).text == "a\ud800b"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_cut_off_by_its_length_keeps_its_text_and_is_the_candidates_failure(stream: bool) -> None:
    with ModelServer(lambda body: Answer("half an ans", finish_reason="length")) as server:
        response = one(server, stream=stream)
    assert response.text == "half an ans"
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind) == ("candidate", "ran_out_of_tokens")


def test_a_streamed_answer_is_the_same_and_has_a_time_to_its_first_token() -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    answer = Answer("Grüße, 世界", message={"reasoning_content": "hm", "tool_calls": [call]})
    with ModelServer(lambda body: answer) as server:
        whole = one(server)
        streamed = one(server, context=EngineContext(measure_timing=True))
    assert server.bodies[1]["stream_options"] == {"include_usage": True}
    assert (streamed.text, streamed.reasoning) == (whole.text, whole.reasoning) == ("Grüße, 世界", "hm")
    assert streamed.tool_calls == ({name: call[name] for name in ("id", "type", "function")},)
    assert streamed.usage == whole.usage
    assert streamed.timing.ttft_s is not None
    assert streamed.timing.e2e_s is not None
    assert 0 < streamed.timing.ttft_s <= streamed.timing.e2e_s


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 503),
        Fault("status", 408),
        Fault("status", 409),
        Fault("status", 429, {"Retry-After": "0"}),
        Fault("reset"),
        Fault("cut_body"),
        Fault("bad_json"),
        Fault("hang"),
    ],
    ids=lambda value: f"{value.kind}{value.status}" if isinstance(value, Fault) else None,
)
def test_what_may_pass_is_tried_again(fault: Fault, stream: bool) -> None:
    with ModelServer(lambda body: "a longer answer", faults=[fault, fault]) as server:
        response = one(server, stream=stream, attempt_timeout_s=0.2)
    assert (response.text, response.failure) == ("a longer answer", None)
    assert server.requests_by_digest == {digest_of(server.bodies[0]): 3}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", 500), "http_500"),
        (Fault("status", 429), "http_429"),
        (Fault("reset"), "connection"),
        (Fault("cut_body"), "bad_body"),
        (Fault("bad_json"), "bad_body"),
        (Fault("hang"), "timeout"),
        (Fault("status", 200, body='{"error": {"message": "overloaded"}}'), "bad_body"),
        (Fault("status", 200, body='{"choices": [{"message": {"content": 7}}]}'), "bad_body"),
        (Fault("status", 200, body='{"choices": [{"message": {"content": ""}, "logprobs": 7}]}'), "bad_body"),
        (Fault("status", 200, body="[" * 100_000), "bad_body"),
    ],
    ids=str,
)
def test_what_does_not_pass_is_the_systems_failure(fault: Fault, kind: str) -> None:
    request = ask(answer_form=LABELS)
    with ModelServer(faults=lambda body, number: fault) as server:
        response = one(server, request, max_retries=2, attempt_timeout_s=0.2, logprobs=True)
    assert response.failure is not None
    assert (response.failure.blame, response.failure.stage, response.failure.kind) == ("system", "generate", kind)
    assert response.failure.message.endswith("(3 attempts)")
    assert len(server.bodies) == 3


def test_one_that_fails_leaves_the_others_alone() -> None:
    with ModelServer(faults=lambda body, number: Fault("reset") if "7" in str(body["messages"]) else None) as server:
        responses = respond(open_engine(server.base_url, max_retries=1), *[ask(str(number)) for number in range(10)])
    assert [response.key.sample_id for response in responses if response.failure is not None] == ["7"]


def test_retry_after_is_waited_for() -> None:
    with ModelServer(faults=[Fault("status", 429, {"Retry-After": "1"})]) as server:
        began = time.monotonic()
        response = one(server)
    assert response.failure is None
    assert time.monotonic() - began >= 1.0


def test_a_wait_beyond_the_total_time_ends_the_request_at_once() -> None:
    with ModelServer(faults=lambda body, number: Fault("status", 429, {"Retry-After": "3600"})) as server:
        began = time.monotonic()
        response = one(server, total_timeout_s=5)
    assert time.monotonic() - began < 4
    assert response.failure is not None
    assert response.failure.kind == "http_429"
    assert (
        "(1 attempt, the next one would be after 5 s in all: the server asked for 3600 s)" in response.failure.message
    )


def test_the_total_time_bounds_a_server_that_hangs() -> None:
    with ModelServer(faults=lambda body, number: Fault("hang")) as server:
        began = time.monotonic()
        response = one(server, attempt_timeout_s=0.2, total_timeout_s=0.5, max_retries=100)
    assert response.failure is not None
    assert response.failure.kind == "timeout"
    assert time.monotonic() - began < 3


def test_a_request_of_a_measured_load_is_never_tried_again() -> None:
    with ModelServer(faults=[Fault("status", 500)]) as server:
        response = one(server, ask(send_at_s=0.0))
    assert response.failure is not None
    assert len(server.bodies) == 1
    assert response.timing.scheduled_s == 0.0


def test_another_4xx_is_not_tried_again() -> None:
    with ModelServer(faults=[Fault("status", 400, body='{"error": {"message": "top_k is unknown"}}')]) as server:
        response = one(server)
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind) == ("system", "http_400")
    assert response.failure.message == "HTTP 400: top_k is unknown"
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"error": {"message": "Too much.", "type": "invalid_request_error", "code": "context_length_exceeded"}}',
        '{"object": "error", "message": "This model\'s maximum context length is 4096 tokens. However, ..."}',
        '{"error": {"message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096."}}',
        '{"error": {"message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}',
    ],
)
def test_a_prompt_that_is_too_long_is_the_candidates_failure(body: str) -> None:
    with ModelServer(faults=[Fault("status", 400, body=body)]) as server:
        response = one(server)
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind) == ("candidate", "prompt_too_long")
    assert len(server.bodies) == 1


def test_a_prompt_that_speaks_of_context_length_is_not_too_long() -> None:
    body = '{"detail": [{"msg": "extra field", "input": {"content": "What is a context length?"}}]}'
    with ModelServer(faults=[Fault("status", 422, body=body)]) as server:
        response = one(server)
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind) == ("system", "http_422")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("status", 401, body='{"error": {"message": "bad key"}}'), "HTTP 401: bad key. No key was sent: OPENAI_"),
        (Fault("status", 403, body="no"), "HTTP 403: no. No key was sent: OPENAI_API_KEY is not set"),
        (
            Fault("status", 404, body='{"message": "no model m"}'),
            r"HTTP 404: no model m\. `model` is \"m\"\. The server lists: mock\.",
        ),
        (Fault("status", 307, {"Location": "https://e.org"}), "HTTP 307: redirects to https://e.org. Set engine_arg"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Fault) else "",
)
def test_what_no_request_can_pass_ends_the_run_at_its_start(fault: Fault, said: str) -> None:
    with ModelServer(faults=[fault]) as server, pytest.raises(InputError, match=said):
        one(server)
    assert len(server.bodies) == 1


def test_once_something_was_answered_a_refusal_is_only_that_requests_failure() -> None:
    with ModelServer(faults=[None, Fault("status", 403)]) as server:
        engine = open_engine(server.base_url)

        async def run() -> list[Response]:
            await engine.start()
            answered = [await engine.respond(ask("a")), await engine.respond(ask("b"))]
            await engine.close()
            return answered

        first, second = asyncio.run(run())
    assert first.failure is None
    assert second.failure is not None
    assert (second.failure.blame, second.failure.kind) == ("system", "http_403")


def test_no_server_there_is_said_before_anything_is_asked() -> None:
    with ModelServer() as server:
        base_url = server.base_url
    began = time.monotonic()
    with pytest.raises(InputError, match=f"no server answers at {base_url} .*Start it, or mend engine_args.base_url"):
        respond(open_engine(base_url))
    assert time.monotonic() - began < 5


def test_a_host_that_does_not_exist_is_said_before_anything_is_asked() -> None:
    with pytest.raises(InputError, match=r"no server answers at http://nowhere\.invalid"):
        respond(open_engine("http://nowhere.invalid/v1", connect_timeout_s=2))


def test_any_http_answer_at_all_is_a_server() -> None:
    with ModelServer() as server:
        engine = open_engine(server.base_url.removesuffix("/v1") + "/elsewhere")
        assert respond(engine) == []


def test_no_more_than_its_concurrency_is_in_flight() -> None:
    with ModelServer(latency_s=0.02) as server:
        responses = respond(open_engine(server.base_url, concurrency=3), *[ask(str(number)) for number in range(12)])
    assert all(response.failure is None for response in responses)
    assert server.most_in_flight <= 3


LABEL_CASES: list[tuple[str, Callable[[dict[str, Any]], Any], Any]] = [
    ("none", lambda body: (body.get("structured_outputs"), body.get("response_format")), (None, None)),
    ("vllm_choice", lambda body: body["structured_outputs"], {"choice": ["none", "partial", "full"]}),
    (
        "json_schema",
        lambda body: body["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"],
        ["none", "partial", "full"],
    ),
]


@pytest.mark.parametrize(("form", "sent", "expected"), LABEL_CASES, ids=[case[0] for case in LABEL_CASES])
def test_labels_are_asked_for_as_the_server_understands_and_read_bare(
    form: str, sent: Callable[[dict[str, Any]], Any], expected: Any
) -> None:
    text = '{"label": "full"}' if form == "json_schema" else "full"
    with ModelServer(lambda body: text) as server:
        response = one(server, ask(answer_form=LABELS), answer_form=form)
    assert response.text == "full"
    assert sent(server.bodies[0]) == expected


def test_a_json_schema_is_handed_on() -> None:
    form = AnswerForm(kind="json_schema", json_schema={"type": "object"})
    with ModelServer() as server:
        one(server, ask(answer_form=form), answer_form="json_schema")
        one(server, ask(answer_form=form), answer_form="vllm_choice")
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert server.bodies[1]["structured_outputs"] == {"json": {"type": "object"}}


@pytest.mark.parametrize("stream", [False, True])
def test_label_logprobs_are_those_of_each_labels_first_token(stream: bool) -> None:
    found = [(" full", -0.5), ("full", -2.0), ("part", -1.5), ("x", 0)]
    top = [{"token": token, "logprob": logprob} for token, logprob in found]
    answer = Answer("full", choice={"logprobs": {"content": [{"token": " full", "top_logprobs": top}]}})
    with ModelServer(lambda body: answer) as server:
        response = one(server, ask(answer_form=LABELS), logprobs=True, stream=stream)
    assert (server.bodies[0]["logprobs"], server.bodies[0]["top_logprobs"]) == (True, 20)
    assert response.label_logprobs == pytest.approx({"full": -0.298589, "partial": -1.5}, abs=1e-5)


def test_a_refusal_in_its_own_field_is_what_the_model_said() -> None:
    with ModelServer(lambda body: Answer(None, message={"refusal": "I will not."})) as server:
        assert one(server).text == "I will not."
