"""A server that sends the very bytes a test gives, on a free local port: what no HTTP library would send.

    with RawServer(http(b"<html>busy</html>", "Content-Type: text/html")) as server:
        ...  # server.base_url is http://127.0.0.1:PORT/v1

GET /v1/models is answered properly, unless a test says otherwise.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

CLOSE = b"\x00close"
"""At the end of an answer: the connection is closed after it."""

Replies = bytes | Callable[[int, bytes], "bytes | float"]
"""What is sent to every completion, or a function of its number, from 0, and its body. A number is seconds of silence,
after which the function is asked again with the number -1.
"""


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An HTTP answer. length: what Content-Length says, -1 = none is sent; None = the truth."""
    said = [] if length == -1 else [f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([f"HTTP/1.1 {status}", *said, *headers, "", ""]).encode() + body


MODELS = http(b'{"object": "list", "data": [{"id": "m"}]}', "Content-Type: application/json")


class RawServer:
    """A context manager. What it saw can be read while it runs and afterwards."""

    def __init__(self, replies: Replies, *, models: bytes | None = MODELS, tls: ssl.SSLContext | None = None) -> None:
        """models: what is sent to GET /v1/models; None = never anything."""
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._replies, self._models, self._tls = replies, models, tls
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    @property
    def base_url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda loop, context: None)  # clients that refuse a certificate break off
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self._tls, limit=1 << 26)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.02)  # connections that were cut are closed in the loop's next rounds

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                answer = await self._answer(reader)
                writer.write(answer.removesuffix(CLOSE))
                await writer.drain()
                if answer.endswith(CLOSE):
                    writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            if not writer.is_closing():
                writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            return self._models if self._models is not None else await self._silence()
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
        self.bodies.append(body)
        if isinstance(self._replies, bytes):
            return self._replies
        found = self._replies(len(self.bodies) - 1, body)
        while not isinstance(found, bytes):
            await asyncio.sleep(found)
            found = self._replies(-1, body)
        return found

    async def _silence(self) -> bytes:
        await self._stop.wait()
        return CLOSE
