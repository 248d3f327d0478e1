"""One attempt at an OpenAI-compatible server: bytes out, an answer's JSON or a Fault back.

The one file that knows aiohttp. What the answer says is read in http_reply.py; whether to try again, in http_retry.py.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from evalkit.core.errors import InputError
from evalkit.engines.http_arguments import HttpArguments
from evalkit.engines.http_refusal import refused
from evalkit.engines.http_reply import BadBody, error_message, parse_json
from evalkit.engines.http_retry import Fault
from evalkit.engines.http_secrets import Secrets
from evalkit.engines.http_stream import DONE, EventBuffer, StreamedCompletion


@dataclass(frozen=True)
class Answer:
    """What came back whole. Times are on time.monotonic."""

    payload: Any
    """The body's JSON, put together when it was streamed."""
    sent_at_s: float
    first_token_at_s: float | None
    """None = not streamed, or nothing was said."""
    ended_at_s: float


class HttpConnection:
    """A session with one server. Made within a running event loop; `close` gives its sockets back."""

    def __init__(self, arguments: HttpArguments, headers: Mapping[str, str], secrets: Secrets):
        self._base_url = arguments.base_url
        self._connect_timeout_s = arguments.connect_timeout_s
        self._secrets = secrets
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": "evalkit", "Content-Type": "application/json", **headers},
            connector=aiohttp.TCPConnector(limit=arguments.concurrency),
            cookie_jar=aiohttp.DummyCookieJar(),  # one request leaves nothing behind for the next
        )

    async def close(self) -> None:
        """Close all sockets."""
        await self._session.close()

    async def check(self) -> None:
        """Raise InputError when nothing answers at the address; any HTTP answer at all, an error too, is a server."""
        timeout = aiohttp.ClientTimeout(total=self._connect_timeout_s)
        url = f"{self._base_url}/models"
        try:
            async with self._session.get(url, timeout=timeout, allow_redirects=False):
                return
        except TimeoutError:
            reason = f"nothing came within {self._connect_timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = self._secrets.hide(str(error) or type(error).__name__)
        raise InputError(f"no server answers at {self._base_url} ({reason}). Start it, or mend engine_args.base_url.")

    async def ask(self, body: bytes, timeout_s: float) -> Answer | Fault:
        """Send one chat completion and wait for its end, for at most that many seconds."""
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=self._connect_timeout_s)
        url = f"{self._base_url}/chat/completions"
        sent_at_s = time.monotonic()
        try:
            # No redirects: they would carry the key to an address that nobody named.
            async with self._session.post(url, data=body, timeout=timeout, allow_redirects=False) as response:
                if response.status != 200:
                    return refused(response.status, response.headers, await response.read(), self._secrets)
                if response.content_type == "text/event-stream":
                    return await self._read_stream(response, sent_at_s)
                content = await response.read()
                return Answer(parse_json(content), sent_at_s, None, time.monotonic())
        except TimeoutError:
            return Fault("timeout", f"no whole answer within {time.monotonic() - sent_at_s:.3g} s")
        except aiohttp.ClientPayloadError as error:
            return Fault("bad_body", self._secrets.hide(f"the answer was cut off: {error}"))
        except BadBody as error:
            return Fault("bad_body", self._secrets.hide(str(error)))
        except (aiohttp.ClientError, OSError) as error:
            return Fault("connection", self._secrets.hide(f"{type(error).__name__}: {error}"))

    async def _read_stream(self, response: aiohttp.ClientResponse, sent_at_s: float) -> Answer:
        events, completion = EventBuffer(), StreamedCompletion()
        first_token_at_s: float | None = None
        done = False
        async for received in response.content.iter_any():
            arrived_at_s = time.monotonic()
            for data in events.feed(received):
                done = done or data == DONE
                if data != DONE and _add(completion, data) and first_token_at_s is None:
                    first_token_at_s = arrived_at_s
        if not (done or completion.finished):
            raise BadBody("the stream ended before the answer did")
        if not completion.readable:
            raise BadBody("the server streamed nothing that has the form of an answer")
        return Answer(completion.completion(), sent_at_s, first_token_at_s, time.monotonic())


def _add(completion: StreamedCompletion, data: str) -> bool:
    """Add one event's data; whether it brought a piece of the answer. Raises BadBody."""
    chunk = parse_json(data)
    if not isinstance(chunk, dict):
        raise BadBody("the server streamed something that is no object")
    if chunk.get("error"):
        raise BadBody(f"the server streamed an error: {error_message(data.encode())}")
    try:
        return completion.add(chunk)
    except (AttributeError, TypeError, ValueError) as error:
        raise BadBody(f"the server streamed a chunk of an unknown form ({error})") from None
