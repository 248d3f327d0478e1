"""What servers send that they should not, byte by byte, on a real socket."""

import asyncio
import gzip
import json
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from evalkit.core.errors import InputError
from evalkit.core.response import Response, Usage
from tests.engines.http_asking import ask, open_engine, respond
from tests.raw_server import CLOSE, RawServer, Replies, http
from tests.servers import Answer, Fault, ModelServer

JSON = "Content-Type: application/json"
EVENTS = "Content-Type: text/event-stream"


def answer(text: str = "4", **top: Any) -> bytes:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"model": "m", "choices": [choice]} | top).encode()


GOOD = http(answer(), JSON)


def first_then_good(first: bytes) -> Replies:
    return lambda number, body: first if number == 0 else GOOD


def one(replies: Replies, **engine_args: Any) -> tuple[Response, int]:
    """What becomes of one request, and how often it was sent."""
    with RawServer(replies) as server:
        [response] = respond(open_engine(server.base_url, **engine_args), ask())
    return response, len(server.bodies)


HALF_A_STREAM = http(b'data: {"choices": [{"delta": {"content": "4"}}]}\n\n', EVENTS, length=-1) + CLOSE
BROKEN_CHUNKS = (
    f"HTTP/1.1 200 OK\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + b"zz\r\nno length\r\n" + CLOSE
)


@pytest.mark.parametrize(
    ("sent", "kind", "said"),
    [
        (HALF_A_STREAM, "bad_body", "the stream ended before the answer did"),
        (http(b"<html>Please log in</html>", "Content-Type: text/html"), "bad_body", "not JSON"),
        (http(answer(), JSON, "Content-Encoding: gzip"), "bad_body", "Can not decode content-encoding"),
        (http(gzip.compress(answer())[:40], JSON, "Content-Encoding: gzip"), "bad_body", ""),
        (http(answer().replace(b'"4"', b'"\xff\xfe"'), JSON), "bad_body", "not JSON"),
        (http(answer()[:-5], JSON, length=len(answer())) + CLOSE, "bad_body", "cut off"),
        (http(b"", JSON), "bad_body", "not JSON"),
        (http(b'{"choices": []}', JSON), "bad_body", "no choices[0].message"),
        (BROKEN_CHUNKS, "bad_http", "no HTTP"),
        (http(answer(), JSON, f"X-Long: {'x' * 100_000}"), "bad_http", "no HTTP"),
        (b"SSH-2.0-OpenSSH_9.9\r\n" + CLOSE, "bad_http", "no HTTP"),
        (CLOSE, "connection", "closed without an answer"),
    ],
    ids=range(12),
)
def test_what_is_no_answer_is_asked_again_and_is_the_systems_failure_in_the_end(
    sent: bytes, kind: str, said: str
) -> None:
    response, times = one(first_then_good(sent))
    assert (response.text, response.failure, times) == ("4", None, 2)
    response, times = one(sent, max_retries=1)
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind, times) == ("system", kind, 2)
    assert said in response.failure.message


def test_an_answer_in_gzip_is_read() -> None:
    response, _ = one(http(gzip.compress(answer()), JSON, "Content-Encoding: gzip"))
    assert response.text == "4"


def test_an_answer_without_content_has_a_status_of_its_own() -> None:
    response, times = one(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert response.failure is not None
    assert (response.failure.kind, times) == ("http_204", 1)
    assert response.failure.message == "HTTP 204: without a word"


@pytest.mark.parametrize(
    ("error", "kind", "times"),
    [
        ({"code": 429, "message": "slow down"}, "http_429", 2),
        ({"code": "rate_limit_exceeded", "message": "slow down"}, "http_429", 2),
        ({"code": "502", "message": "upstream"}, "http_502", 2),
        ({"type": "server_error", "message": "oops"}, "http_500", 2),
        ({"message": "overloaded"}, "bad_body", 2),
        ("out of order", "bad_body", 2),
        ({"type": "invalid_request_error", "message": "top_k is unknown"}, "http_400", 1),
        ({"code": "context_length_exceeded", "message": "too long"}, "prompt_too_long", 1),
    ],
)
@pytest.mark.parametrize("form", ["whole", "stream", "choice"])
def test_an_error_inside_a_200_counts_as_its_code_says(error: Any, kind: str, times: int, form: str) -> None:
    if form == "choice" and isinstance(error, str):
        pytest.skip("errors of a choice are objects")
    payload = json.dumps({"choices": [{"error": error}]} if form == "choice" else {"error": error}).encode()
    sent = http(b"data: " + payload + b"\n\n", EVENTS) if form == "stream" else http(payload, JSON)
    response, asked = one(sent, max_retries=1)
    assert response.failure is not None
    assert (response.failure.kind, asked) == (kind, times)
    assert response.failure.blame == ("candidate" if kind == "prompt_too_long" else "system")


def test_a_key_that_is_refused_inside_a_200_ends_the_run() -> None:
    sent = http(b'{"error": {"code": "invalid_api_key", "message": "wrong key"}}', JSON)
    with pytest.raises(InputError, match=r"an error 401 inside: wrong key\. No key was sent"):
        one(sent)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({}, Usage()),
        ({"usage": None}, Usage()),
        ({"usage": {"prompt_tokens": 3_000_000, "completion_tokens": 2_000_000}}, (3_000_000, 2_000_000)),
        ({"usage": {"prompt_tokens": -3, "completion_tokens": -1}}, Usage()),
        ({"usage": {"prompt_tokens": 1.5, "completion_tokens": "7"}}, Usage()),
    ],
)
def test_a_count_that_was_not_told_or_cannot_be_is_missing_not_zero(usage: Any, expected: Any) -> None:
    response, _ = one(http(answer(**usage), JSON))
    if isinstance(expected, tuple):
        expected = Usage(prompt_tokens=expected[0], output_tokens=expected[1])
    assert response.usage == expected


def test_a_long_answer_is_kept_whole() -> None:
    text = "ä" * 5_000_000
    response, _ = one(http(json.dumps(json.loads(answer(text)), ensure_ascii=False).encode(), JSON))
    assert response.text == text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_beyond_the_limit_is_the_systems_failure_and_is_not_asked_again(stream: bool, packed: bool) -> None:
    body = answer("x" * 3_000_000)
    if stream:
        body = b"".join(b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % (b"x" * 1000) for _ in range(3000))
    headers = [EVENTS if stream else JSON, *(["Content-Encoding: gzip"] if packed else [])]
    response, times = one(http(gzip.compress(body) if packed else body, *headers), max_answer_mib=2)
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind, times) == ("system", "too_large", 1)
    assert response.failure.message == "the answer is longer than 2 MiB (engine_args.max_answer_mib)"


def test_an_answer_just_within_the_limit_is_kept() -> None:
    body = answer("x" * ((1 << 20) - len(answer(""))))
    assert len(body) == 1 << 20
    response, _ = one(http(body, JSON), max_answer_mib=1)
    assert response.failure is None


@pytest.mark.parametrize("content", [None, "half an"])
def test_what_a_content_filter_held_back_is_the_candidates_failure(content: str | None) -> None:
    with ModelServer(lambda body: Answer(content, finish_reason="content_filter")) as server:
        [response] = respond(open_engine(server.base_url), ask())
    assert response.text == (content or "")
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind) == ("candidate", "content_filter")


def test_a_prompt_that_a_content_filter_refuses_is_the_candidates_failure() -> None:
    body = '{"error": {"code": "content_filter", "message": "The prompt triggered the content management policy."}}'
    with ModelServer(faults=[Fault("status", 400, body=body)]) as server:
        [response] = respond(open_engine(server.base_url), ask())
    assert response.failure is not None
    assert (response.failure.blame, response.failure.kind) == ("candidate", "content_filter")


def test_a_late_answer_is_a_timeout_and_never_another_requests_answer() -> None:
    def reply(number: int, body: bytes) -> bytes | float:
        text = json.loads(body)["messages"][0]["content"]
        return 0.4 if number == 0 else http(answer(f"to {text}"), JSON)

    with RawServer(reply) as server:
        engine = open_engine(server.base_url, attempt_timeout_s=0.2, max_retries=0, concurrency=1)

        async def run() -> list[Response]:
            await engine.start()
            answers = [await engine.respond(ask("late"))]
            answers += [await engine.respond(ask(str(number))) for number in range(3)]
            await asyncio.sleep(0.4)  # the late answer has come meanwhile
            answers += [await engine.respond(ask(str(number))) for number in range(3, 6)]
            await engine.close()
            return answers

        late, *others = asyncio.run(run())
    assert late.failure is not None
    assert late.failure.kind == "timeout"
    assert [response.text for response in others] == [f"to {number}" for number in range(6)]


def test_connections_are_used_again() -> None:
    with RawServer(GOOD) as server:
        answers = respond(open_engine(server.base_url, concurrency=4), *[ask(str(number)) for number in range(40)])
    assert all(response.failure is None for response in answers)
    assert server.connections <= 5  # four, and the one that looked for a server at the start


@pytest.mark.parametrize("server_is_wrong_by_s", [0, -7200])
def test_retry_after_as_a_date_is_read_by_the_servers_own_clock(server_is_wrong_by_s: int) -> None:
    now = datetime.now(UTC) + timedelta(seconds=server_is_wrong_by_s)
    at, date = (format_datetime(moment, usegmt=True) for moment in (now + timedelta(seconds=2), now))
    refusal = http(b"slow down", f"Retry-After: {at}", f"Date: {date}", status="429 Too Many Requests")
    began = time.monotonic()
    response, times = one(first_then_good(refusal))
    assert (response.text, times) == ("4", 2)
    assert 1.9 <= time.monotonic() - began < 60


def test_a_refused_key_ends_the_run_at_any_time_and_nothing_more_is_sent() -> None:
    refused = Fault("status", 401, body='{"error": {"message": "key has expired"}}')
    with ModelServer(faults=lambda body, number: None if number < 3 else refused) as server:
        engine = open_engine(server.base_url, concurrency=2)

        async def run() -> None:
            await engine.start()
            try:
                for number in range(3):
                    assert (await engine.respond(ask(str(number)))).failure is None
                for number in range(3):
                    with pytest.raises(InputError, match=r"HTTP 401: key has expired\. No key was sent"):
                        await engine.respond(ask(f"after {number}"))
            finally:
                await engine.close()

        asyncio.run(run())
    assert len(server.bodies) == 4


def test_requests_that_wait_when_a_key_is_refused_are_not_sent() -> None:
    with ModelServer(faults=lambda body, number: Fault("status", 401), latency_s=0.05) as server:
        engine = open_engine(server.base_url, concurrency=2)

        async def run() -> list[Any]:
            await engine.start()
            asked = [engine.respond(ask(str(number))) for number in range(20)]
            ended = await asyncio.gather(*asked, return_exceptions=True)
            await engine.close()
            return ended

        ended = asyncio.run(run())
    assert all(isinstance(error, InputError) for error in ended)
    assert len(server.bodies) == 2


def test_a_wrong_model_is_said_with_the_nearest_that_the_server_lists() -> None:
    unknown = Fault("status", 404, body='{"error": {"message": "The model `m` does not exist."}}')
    with (
        ModelServer(faults=lambda body, number: unknown, models=["mm", "qwen"]) as server,
        pytest.raises(InputError) as caught,
    ):
        respond(open_engine(server.base_url), ask())
    assert str(caught.value) == (
        f'candidate "c" at {server.base_url}: HTTP 404: The model `m` does not exist. '
        '`model` is "m". Did you mean "mm"? The server lists: mm, qwen.'
    )


def test_a_long_list_of_models_and_a_long_refusal_are_read_whole() -> None:
    names = json.dumps({"data": [{"id": f"model-{number}"} for number in range(20_000)] + [{"id": "mm"}]}).encode()
    refusal = json.dumps({"error": {"padding": "x" * 300_000, "message": "no such model"}}).encode()
    with (
        RawServer(http(refusal, JSON, status="404 Not Found"), models=http(names, JSON)) as server,
        pytest.raises(InputError, match=r'HTTP 404: no such model\. .* Did you mean "mm"\? .* and 19993 more'),
    ):
        respond(open_engine(server.base_url), ask())


def test_an_engine_can_be_started_again_elsewhere() -> None:
    with ModelServer(latency_s=0.01) as server:
        engine = open_engine(server.base_url, concurrency=2)
        for _ in range(2):
            answers = respond(engine, *[ask(str(number)) for number in range(6)])
            assert all(response.failure is None for response in answers)


def test_a_server_that_accepts_and_never_answers_is_said_at_the_start() -> None:
    with RawServer(GOOD, models=None) as server, pytest.raises(InputError, match=r"nothing came within 0.3 s"):
        respond(open_engine(server.base_url, connect_timeout_s=0.3))


def test_a_host_name_that_does_not_exist_is_said_at_the_start() -> None:
    with pytest.raises(InputError, match=r'the host name "nowhere\.invalid" is not known'):
        respond(open_engine("http://nowhere.invalid/v1", connect_timeout_s=5))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """TLS with a certificate that nobody signed."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    try:
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def test_a_certificate_that_is_not_accepted_is_said_at_the_start(tls: ssl.SSLContext) -> None:
    with RawServer(GOOD, tls=tls) as server, pytest.raises(InputError) as caught:
        respond(open_engine(server.base_url))
    said = str(caught.value)
    assert said.startswith(f"{server.base_url}: its certificate is not accepted: self-signed certificate")
    assert "SSL_CERT_FILE" in said


def test_https_to_a_server_of_plain_http_is_said_at_the_start() -> None:
    with ModelServer() as server, pytest.raises(InputError, match=r"speaks no TLS .* write http:// in engine_args"):
        respond(open_engine(server.base_url.replace("http://", "https://")))


def test_plain_http_to_a_server_of_tls_is_said_at_the_start(tls: ssl.SSLContext) -> None:
    with RawServer(GOOD, tls=tls) as server, pytest.raises(InputError, match="if it speaks TLS, write https://"):
        respond(open_engine(server.base_url.replace("https://", "http://")))
    told = http(b"Client sent an HTTP request to an HTTPS server.\n", status="400 Bad Request")
    with RawServer(GOOD, models=told) as server, pytest.raises(InputError, match="Write https:// in engine_args"):
        respond(open_engine(server.base_url))
