"""Requests and an engine for the tests of HTTP, and asking the one with the others."""

import asyncio
from dataclasses import replace
from typing import Any

from evalkit.core.candidate import Candidate
from evalkit.core.message import Message
from evalkit.core.request import Key, Request
from evalkit.core.response import Response
from evalkit.engines.base import EngineContext
from evalkit.engines.openai_http import OpenAIHttpEngine


def ask(text: str = "2 + 2?", **fields: Any) -> Request:
    """A request with that prompt."""
    return Request(key=Key(task="t", sample_id=text), messages=(Message(role="user", content=text),), **fields)


def open_engine(
    base_url: str | list[str],
    *,
    context: EngineContext | None = None,
    extra_body: dict[str, Any] | None = None,
    **engine_args: Any,
) -> OpenAIHttpEngine:
    """An engine whose waits are short, without a key: `api_key_env` can name one."""
    candidate = Candidate(
        name="c",
        engine="openai_http",
        model="m",
        engine_args={"base_url": base_url, "api_key_env": None} | engine_args,
        extra_body=extra_body or {},
    )
    engine = OpenAIHttpEngine(candidate, context or EngineContext())
    engine.retry_policy = replace(engine.retry_policy, first_wait_s=0.01)
    engine.pause = replace(engine.pause, first_gap_s=0.05, longest_gap_s=0.1)
    return engine


def respond(engine: OpenAIHttpEngine, *requests: Request) -> list[Response]:
    """The answers, in the requests' order, asked all at once."""

    async def run() -> list[Response]:
        await engine.start()
        try:
            return await asyncio.gather(*[engine.respond(request) for request in requests])
        finally:
            await engine.close()

    return asyncio.run(run())
