"""A real OpenAI-compatible server on a free local port, without a model, for tests.

    with ModelServer(reply=lambda body: "4", faults=[Fault("status", status=500)]) as server:
        ...  # server.base_url is http://127.0.0.1:PORT/v1
    assert server.requests_by_digest[digest_of(body)] == 2

It runs in a thread with an event loop of its own. `python -m tests.servers --port 8000 --latency-s 0.1 --log FILE` runs
it by itself and appends one line for each request when it comes in, flushed: what counts when a client is killed.
"""

import argparse
import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from evalkit.core.digest import digest_of

Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the server says, beyond a text."""

    text: str | None = ""
    finish_reason: str = "stop"
    message: Body = field(default_factory=dict)
    """More fields of the message: reasoning_content, tool_calls, refusal."""
    choice: Body = field(default_factory=dict)
    """More fields of the choice: logprobs, stop_reason."""
    top: Body = field(default_factory=dict)
    """More fields of the whole: system_fingerprint, usage."""


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong.

    status: answered with that status, headers and body. reset: the connection is reset. cut_body: half of the answer
    comes. hang: nothing ever comes. bad_json: 200 with something that is no JSON.
    """

    kind: Literal["status", "reset", "cut_body", "hang", "bad_json"]
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"error": {"message": "out of order"}}'


Reply = Callable[[Body], "str | Answer"]
FaultPlan = Sequence[Fault | None] | Callable[[Body, int], Fault | None]
"""One entry for each request in the order they come (after the last, all is well), or a function of body and number."""


def last_message(body: Body) -> str:
    """The default reply: what was said last."""
    return str(body["messages"][-1]["content"])


class ModelServer:
    """A context manager; give `base_url` to the engine. What it saw can be read while it runs and afterwards."""

    def __init__(
        self,
        reply: Reply = last_message,
        *,
        latency_s: float = 0.0,
        faults: FaultPlan = (),
        port: int = 0,
        log: Path | None = None,
        models: Sequence[str] = ("mock",),
    ) -> None:
        self.bodies: list[Body] = []
        """The bodies of all requests, in the order they came."""
        self.headers: list[dict[str, str]] = []
        self.requests_by_digest: Counter[str] = Counter()
        """How often each body came, by `digest_of(body)`."""
        self.most_in_flight = 0
        self.unready = False
        """While it is set, everything is answered 503, as a gateway does with nothing behind it."""
        self.looks = 0
        """How often it was asked for its models."""
        self.port = port
        self._reply, self._latency_s, self._faults, self._log = reply, latency_s, faults, log
        self._model_names = models
        self._in_flight = 0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._error: OSError | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.wait()

    def stop(self) -> None:
        """Ask it to end, from whichever thread; a `reply` may do so."""
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stop.set)

    def wait(self) -> None:
        """Until the server ends."""
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=1 << 30)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            self._started.set()
            await self._stop.wait()
        except OSError as error:
            self._error = error
            self._started.set()
        finally:
            await runner.cleanup()
            await asyncio.sleep(0.05)  # connections that were cut are closed in the loop's next rounds

    async def _models(self, request: web.Request) -> web.Response:
        self.looks += 1
        if self.unready:
            return web.Response(status=503, text="nothing there")
        return web.json_response({"object": "list", "data": [{"id": name} for name in self._model_names]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        number = self._record(body, dict(request.headers))
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self._latency_s)
            fault = Fault("status", 503) if self.unready else self._fault(body, number)
            if fault is not None and fault.kind != "cut_body":
                return await self._go_wrong(request, fault)
            said = self._reply(body)
            answer = Answer(said) if isinstance(said, str) else said
            send = _send_streamed if body.get("stream") else _send_whole
            return await send(request, body, answer, cut=fault is not None)
        finally:
            self._in_flight -= 1

    def _record(self, body: Body, headers: dict[str, str]) -> int:
        """Keep what came, and hand back its number, from 0."""
        digest = digest_of(body)
        self.bodies.append(body)
        self.headers.append(headers)
        self.requests_by_digest[digest] += 1
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"digest": digest, "last_message": last_message(body)}) + "\n")
        return len(self.bodies) - 1

    def _fault(self, body: Body, number: int) -> Fault | None:
        if callable(self._faults):
            return self._faults(body, number)
        return self._faults[number] if number < len(self._faults) else None

    async def _go_wrong(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            await self._stop.wait()
        if fault.kind == "reset":
            _reset(request)
        if fault.kind == "bad_json":
            return web.Response(text='{"choices": [{', content_type="application/json")
        return web.Response(
            status=fault.status, headers=fault.headers, text=fault.body, content_type="application/json"
        )


async def _send_whole(request: web.Request, body: Body, answer: Answer, *, cut: bool) -> web.StreamResponse:
    message = {"role": "assistant", "content": answer.text} | answer.message
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason} | answer.choice
    whole = {"object": "chat.completion", "model": body["model"], "choices": [choice], "usage": _usage(body, answer)}
    content = json.dumps(whole | answer.top).encode()
    if not cut:
        return web.Response(body=content, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    _reset(request, politely=True)
    return response


async def _send_streamed(request: web.Request, body: Body, answer: Answer, *, cut: bool) -> web.StreamResponse:
    """The text in pieces of three characters, then the rest of the message, the reason it ended, and the usage."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    text = answer.text or ""
    deltas: list[Body] = [{"content": text[start : start + 3]} for start in range(0, len(text), 3)]
    chunks = [{"index": 0, "delta": delta} for delta in [{"role": "assistant"} | answer.message, *deltas]]
    chunks.append({"index": 0, "delta": {}, "finish_reason": answer.finish_reason} | answer.choice)
    for chunk in chunks[: len(chunks) // 2] if cut else chunks:
        await response.write(_event({"model": body["model"], "choices": [chunk]} | answer.top))
    if cut:
        _reset(request, politely=True)
        return response
    if body.get("stream_options", {}).get("include_usage"):
        usage = _usage(body, answer) | answer.top.get("usage", {})
        await response.write(_event({"model": body["model"], "choices": [], "usage": usage}))
    await response.write(b"data: [DONE]\n\n")
    return response


def _event(data: Body) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _usage(body: Body, answer: Answer) -> Body:
    """Words, counted as if they were tokens."""
    prompt = sum(len(str(message["content"] or "").split()) for message in body["messages"])
    return {"prompt_tokens": prompt, "completion_tokens": len((answer.text or "").split())}


def _reset(request: web.Request, *, politely: bool = False) -> None:
    """End the connection at once: with a reset, or politely by just closing it."""
    transport = request.transport
    if transport is None:
        return
    if not politely:
        # No lingering: the kernel then sends a reset instead of an orderly end.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


def main() -> None:
    """Serve until ended from outside."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 = a free one; the address is printed")
    parser.add_argument("--latency-s", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--log", type=Path, help="a file that gets one line for each request")
    parser.add_argument("--text", help="the answer to everything; default: what was said last")
    arguments = parser.parse_args()
    text = arguments.text
    reply: Reply = last_message if text is None else lambda body: str(text)
    server = ModelServer(reply, latency_s=arguments.latency_s, port=arguments.port, log=arguments.log)
    with server, suppress(KeyboardInterrupt):
        print(server.base_url, flush=True)
        server.wait()


if __name__ == "__main__":
    main()
