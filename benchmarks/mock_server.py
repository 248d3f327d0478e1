"""A mock OpenAI chat server in a process of its own, made to take little of the processor that it shares.

    python -m benchmarks.mock_server --latency-ms 20 --faults --log requests.log      prints http://127.0.0.1:PORT/v1

    GET /v1/models    POST /v1/chat/completions    GET /stats: {"requests": 12, "unique": 10, "most_in_flight": 4, ...}

What it answers is asked.py's rule. With --faults each attempt goes wrong or not by its body, its number among the
attempts at that body and the seed, so that two runs meet the same faults: see FAULTS.
"""

import argparse
import asyncio
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from benchmarks.asked import answer_to

FAULTS = (("status_500", 0.05), ("status_429", 0.05), ("reset", 0.01), ("cut", 0.01), ("hang", 0.01))
"""Kind -> share of attempts. reset: the connection is reset. cut: the body ends early. hang: the line stays silent."""


@dataclass
class Settings:
    """How the server behaves."""

    latency_s: float
    faults: bool
    hang_s: float
    """How long a hanging connection stays silent, before the server closes it."""
    retry_after_s: int
    seed: int
    log: int | None
    """A file descriptor that gets the digest of each request's body when it comes in; None = none."""


class Counts:
    """What the server saw."""

    def __init__(self) -> None:
        self.by_digest: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        """How many attempts went wrong, by kind."""
        self.requests = 0
        self.in_flight = 0
        self.most_in_flight = 0

    def as_json(self) -> bytes:
        return orjson.dumps(
            {
                "requests": self.requests,
                "unique": len(self.by_digest),
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "faults": dict(self.faults),
            }
        )


class Connection(asyncio.Protocol):
    """One keep-alive connection; its client sends the next request when the last one is answered."""

    def __init__(self, settings: Settings, counts: Counts) -> None:
        self._settings, self._counts = settings, counts
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._waiting: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP server's is one that reads and writes

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._counts.in_flight -= 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n") + 4
        if head_end < 4:
            return
        head = self._buffer[:head_end].lower()
        length_at = head.find(b"content-length:")
        length = int(head[length_at + 15 : head.index(b"\r\n", length_at)]) if length_at >= 0 else 0
        if len(self._buffer) < head_end + length:
            return
        body, self._buffer = self._buffer[head_end : head_end + length], self._buffer[head_end + length :]
        if head.startswith(b"post "):
            self._asked(body)
        else:
            known = self._counts.as_json() if head.startswith(b"get /stats") else b'{"data":[{"id":"mock"}]}'
            self._transport.write(_whole(b"200 OK", known))

    def _asked(self, body: bytes) -> None:
        settings, counts = self._settings, self._counts
        digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        attempt = counts.by_digest[digest]
        counts.by_digest[digest] += 1
        counts.requests += 1
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        if settings.log is not None:
            os.write(settings.log, f"{digest}\n".encode())
        fault = fault_of(digest, attempt, settings.seed) if settings.faults else ""
        if fault:
            counts.faults[fault] += 1
        wait_s = settings.hang_s if fault == "hang" else settings.latency_s
        self._waiting = self._loop.call_later(wait_s, self._end, body, fault)

    def _end(self, body: bytes, fault: str) -> None:
        self._waiting = None
        self._counts.in_flight -= 1
        if not fault:
            self._transport.write(_whole(b"200 OK", _completion(body)))
        elif fault == "status_500":
            self._transport.write(_whole(b"500 Internal Server Error", b'{"error":{"message":"out of order"}}'))
        elif fault == "status_429":
            header = b"Retry-After: %d\r\n" % self._settings.retry_after_s
            self._transport.write(_whole(b"429 Too Many Requests", b'{"error":{"message":"too many"}}', header))
        elif fault == "reset":
            # No lingering: the kernel then sends a reset instead of an orderly end.
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        else:
            if fault == "cut":
                whole = _whole(b"200 OK", _completion(body))
                self._transport.write(whole[: len(whole) - 60])
            self._transport.close()


def _whole(status: bytes, body: bytes, headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return head % (status, headers, len(body)) + body


def _completion(body: bytes) -> bytes:
    """The answer's JSON; tokens are words."""
    asked = orjson.loads(body)["messages"][-1]["content"]
    text = answer_to(asked)
    prompt, output = asked.count(" ") + 1, text.count(" ") + 1
    return (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":%b},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,'
        b'"completion_tokens":%d,"total_tokens":%d}}' % (orjson.dumps(text), prompt, output, prompt + output)
    )


def fault_of(digest: str, attempt: int, seed: int) -> str:
    """How this attempt (from 0) at this body goes wrong; "" = it does not."""
    drawn = hashlib.sha1(f"{digest} {attempt} {seed}".encode(), usedforsecurity=False).digest()
    place = int.from_bytes(drawn[:4]) / 2**32
    for kind, share in FAULTS:
        if place < share:
            return kind
        place -= share
    return ""


class MockServer:
    """`with MockServer("--latency-ms", "20") as server:` the server in a process of its own, ended at the end."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self.base_url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.mock_server", *self._options]
        root = Path(__file__).parents[1]
        self._process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def stats(self) -> dict[str, Any]:
        """What it saw so far."""
        with urllib.request.urlopen(f"{self.base_url.removesuffix('/v1')}/stats", timeout=10) as answer:
            return dict(json.load(answer))


def main() -> None:
    """Serve until ended from outside."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0 = a free one; the address is printed")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before each answer")
    parser.add_argument("--faults", action="store_true", help="some attempts go wrong")
    parser.add_argument("--hang-s", type=float, default=60.0, help="how long a hanging connection stays silent")
    parser.add_argument("--retry-after-s", type=int, default=1, help="what a 429 asks for")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--log", type=Path, help="a file that gets a line for each request when it comes in")
    options = parser.parse_args()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    log = None if options.log is None else os.open(options.log, flags, 0o600)
    latency_s = options.latency_ms / 1000
    settings = Settings(latency_s, options.faults, options.hang_s, options.retry_after_s, options.seed, log)
    try:
        asyncio.run(_serve(settings, options.port))
    except KeyboardInterrupt:
        return


async def _serve(settings: Settings, port: int) -> None:
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(settings, counts), "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
