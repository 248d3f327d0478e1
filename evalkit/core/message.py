"""One turn of a conversation."""

from functools import cached_property
from typing import Any, Literal

from evalkit.core.digest import canonical_json
from evalkit.core.noun import Noun


class Message(Noun):
    """What one party said."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    """Calls the assistant asked for, in the OpenAI chat form."""
    tool_call_id: str | None = None
    """In a tool's message: the call it answers."""

    @cached_property
    def canonical(self) -> bytes:
        """Its canonical JSON, without what is empty: a part of what a request's digest covers."""
        if self.tool_calls or self.tool_call_id is not None or not self.content:
            return canonical_json(self.model_dump(mode="json", exclude_defaults=True))
        return canonical_json({"role": self.role, "content": self.content})  # as nearly all are
