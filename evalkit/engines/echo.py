"""An engine without a model: it says back what it was asked, so that a whole run can be tried in a second.

    candidate echo, last user message "2 + 2?"  ->  Response(text="2 + 2?")

It counts no tokens, because there is no tokenizer: usage stays None.
"""

import asyncio

from pydantic import Field

from evalkit.core.candidate import Candidate
from evalkit.core.noun import Noun
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext


class EchoArguments(Noun):
    """What `engine_args` may hold."""

    text: str | None = None
    """The answer to everything; None = the last user message."""
    delay_s: float = Field(default=0.0, ge=0)
    """Seconds before each answer, to have something to interrupt."""


class EchoEngine:
    """Answers with `engine_args.text`, or else with the last user message (the last message where no user speaks)."""

    name = "echo"
    version = "1"
    loading = ""
    warnings: tuple[str, ...] = ()
    in_process = False
    transport_arguments = frozenset({"delay_s"})

    def __init__(self, candidate: Candidate, context: EngineContext):
        self.concurrency = 64
        self.served: dict[str, str] = {}
        self._arguments = read_arguments(candidate, EchoArguments)

    async def start(self) -> None:
        """Nothing to get ready."""

    async def respond(self, request: Request) -> Response:
        """The answer, after the delay."""
        await asyncio.sleep(self._arguments.delay_s)
        return Response(
            request_digest=request.digest,
            key=request.key,
            judge_key=request.judge_key,
            text=_last_user_text(request) if self._arguments.text is None else self._arguments.text,
            finish_reason="stop",
        )

    async def close(self) -> None:
        """Nothing to give back."""


def _last_user_text(request: Request) -> str:
    contents = [message.content for message in request.messages if message.role == "user"]
    contents = contents or [message.content for message in request.messages]
    return contents[-1] if contents else ""
