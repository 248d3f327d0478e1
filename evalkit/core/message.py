"""One turn of a conversation."""

from typing import Any, Literal

from evalkit.core.noun import Noun


class Message(Noun):
    """What one party said."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    """Calls the assistant asked for, in the OpenAI chat form."""
    tool_call_id: str | None = None
    """In a tool's message: the call it answers."""
