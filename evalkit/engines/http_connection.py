"""One attempt at an OpenAI-compatible server: bytes out, an answer's JSON or a Fault back.

This file and http_fault.py know aiohttp. What the answer says is read in http_reply.py; whether to try again, in
http_retry.py; which of several servers is asked, in http_servers.py.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from evalkit.engines.http_arguments import HttpArguments
from evalkit.engines.http_fault import (
    GATEWAY_STATUSES,
    TOO_LARGE,
    Fault,
    fault_of_body,
    fault_of_no_answer,
    fault_of_status,
    words_for,
)
from evalkit.engines.http_json import BadBody, ErrorInside, parse_json
from evalkit.engines.http_secrets import Secrets
from evalkit.engines.http_stream import DONE, EventBuffer, StreamedCompletion

ERROR_BYTES = 1 << 20
"""As much of a refusal, or of a list of models, as is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back whole. Times are on time.monotonic."""

    payload: Any
    """The body's JSON, put together when it was streamed."""
    sent_at_s: float
    first_token_at_s: float | None
    """None = not streamed, or nothing was said."""
    ended_at_s: float


@dataclass(frozen=True)
class Glance:
    """What a server says when it is asked for its models."""

    status: int
    content: bytes


class _TooLarge(Exception):
    """A body is longer than what is kept of one."""


class HttpConnection:
    """A session with the servers of a candidate. Made within a running event loop; `close` gives its sockets back.

    It sets no limit on how much is in flight: whoever asks does, so that a look at a server never stands in a queue.
    """

    def __init__(self, arguments: HttpArguments, headers: Mapping[str, str], secrets: Secrets):
        self._connect_timeout_s = arguments.connect_timeout_s
        self._most_bytes = int(arguments.max_answer_mib * (1 << 20))
        self._secrets = secrets
        self._completions = {url: URL(f"{url}/chat/completions") for url in arguments.base_urls}
        self._usual_timeout = self._timeout(arguments.attempt_timeout_s)
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": "evalkit", "Content-Type": "application/json", **headers},
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),  # one request leaves nothing behind for the next
        )

    async def close(self) -> None:
        """Close all sockets."""
        await self._session.close()

    async def models(self, base_url: str, timeout_s: float) -> Glance:
        """What GET /models says. Raises aiohttp.ClientError, OSError or ValueError where nothing answers in HTTP."""
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        async with self._session.get(URL(f"{base_url}/models"), timeout=timeout, allow_redirects=False) as response:
            return Glance(response.status, await _read(response.content, ERROR_BYTES))

    async def list_models(self, base_url: str) -> list[str]:
        """The names of the models that a server lists; none where it lists none in a form that is known."""
        try:
            found = await self.models(base_url, self._connect_timeout_s)
            payload = parse_json(found.content)
        except (aiohttp.ClientError, OSError, BadBody):
            return []
        listed = payload.get("data") if found.status == 200 and isinstance(payload, dict) else None
        models = listed if isinstance(listed, list) else []
        return [model["id"] for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]

    async def look(self, base_url: str) -> str | None:
        """Why nobody is there, in words; None = somebody answers, if only with an error of its own."""
        try:
            found = await self.models(base_url, self._connect_timeout_s)
        except aiohttp.ClientResponseError:
            return None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._secrets.hide(words_for(error))
        return f"HTTP {found.status}" if found.status in GATEWAY_STATUSES else None

    async def ask(self, base_url: str, body: bytes, timeout_s: float) -> Answer | Fault:
        """Send one chat completion and wait for its end, for at most that many seconds.

        An attempt that takes longer gives up its connection, so that a late answer meets nobody.
        """
        usual = self._usual_timeout
        timeout = usual if timeout_s == usual.total else self._timeout(timeout_s)
        url = self._completions[base_url]
        sent_at_s = time.monotonic()
        try:
            # No redirects: they would carry the key to an address that nobody named.
            async with self._session.post(url, data=body, timeout=timeout, allow_redirects=False) as response:
                if response.status != 200:
                    content = await _read(response.content, ERROR_BYTES)
                    took_s = time.monotonic() - sent_at_s
                    return fault_of_status(response.status, response.headers, content, took_s, self._secrets)
                if response.content_type == "text/event-stream":
                    return await self._read_stream(response, sent_at_s)
                content = await _read(response.content, self._most_bytes)
                if len(content) > self._most_bytes:
                    raise _TooLarge
                return Answer(parse_json(content), sent_at_s, None, time.monotonic())
        except BadBody as error:
            return fault_of_body(error, self._secrets)
        except _TooLarge:
            told = f"the answer is longer than {self._most_bytes / (1 << 20):g} MiB (engine_args.max_answer_mib)"
            return Fault(TOO_LARGE, told, again=False)
        except (aiohttp.ClientError, OSError) as error:
            return fault_of_no_answer(error, time.monotonic() - sent_at_s, self._secrets)

    def _timeout(self, total_s: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=total_s, sock_connect=self._connect_timeout_s)

    async def _read_stream(self, response: aiohttp.ClientResponse, sent_at_s: float) -> Answer:
        events, completion = EventBuffer(), StreamedCompletion()
        first_token_at_s: float | None = None
        done = False
        size = 0
        async for received in response.content.iter_any():
            arrived_at_s = time.monotonic()
            size += len(received)
            if size > self._most_bytes:
                raise _TooLarge
            for data in events.feed(received):
                done = done or data == DONE
                if data != DONE and _add(completion, data) and first_token_at_s is None:
                    first_token_at_s = arrived_at_s
        if not (done or completion.finished):
            raise BadBody("the stream ended before the answer did")
        if not completion.readable:
            raise BadBody("the server streamed nothing that has the form of an answer")
        return Answer(completion.completion(), sent_at_s, first_token_at_s, time.monotonic())


async def _read(stream: aiohttp.StreamReader, most_bytes: int) -> bytes:
    """A body to its end, or until it is longer than that: no server can fill the memory."""
    content = await stream.readany()
    if stream.at_eof():  # nearly always
        return content
    pieces, size = [content], len(content)
    while size <= most_bytes and (piece := await stream.readany()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _add(completion: StreamedCompletion, data: str) -> bool:
    """Add one event's data; whether it brought a piece of the answer. Raises BadBody."""
    chunk = parse_json(data)
    if not isinstance(chunk, dict):
        raise BadBody("the server streamed something that is no object")
    if chunk.get("error"):
        raise ErrorInside(chunk)
    try:
        return completion.add(chunk)
    except (AttributeError, TypeError, ValueError) as error:
        raise BadBody(f"the server streamed a chunk of an unknown form ({error})") from None
