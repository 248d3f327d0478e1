"""One thing to ask, and what a good answer would be."""

from typing import Any

from pydantic import Field, model_validator

from evalkit.core.message import Message
from evalkit.core.noun import Noun


class Sample(Noun):
    """One sample of a task's data.

    >>> Sample(id="s1", input="2 + 2?", target=("4",), language="en").column("language")
    'en'
    """

    id: str
    """Unique within the task."""
    input: str = ""
    """The text to ask with; empty when `messages` are given."""
    messages: tuple[Message, ...] = ()
    """A conversation so far (or a whole recorded one), instead of `input`."""
    target: tuple[str, ...] = ()
    """Accepted answers; empty when the scorers need none."""
    choices: tuple[str, ...] = ()
    """The options of a multiple-choice question, in order: the first is A."""
    language: str | None = None
    """BCP-47 code of the language the answer should be in."""
    source_language: str | None = None
    """Translation: the language translated from."""
    cluster: str | None = None
    """Samples that stand or fall together share a cluster (one question in many languages). None = its own."""
    tools: tuple[dict[str, Any], ...] = ()
    """Tool definitions offered with this sample, in the OpenAI chat form."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Slice columns: `tags.hazard` in a suite reads `tags["hazard"]`."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    """Anything else; `metadata.label` in a suite reads `metadata["label"]`."""

    @model_validator(mode="after")
    def _has_something_to_ask(self) -> "Sample":
        if not self.input and not self.messages:
            raise ValueError("needs `input` (a text) or `messages` (a conversation)")
        return self

    @property
    def cluster_id(self) -> str:
        """Its cluster, or one of its own that no other sample can have."""
        return self.cluster if self.cluster is not None else f"\0{self.id}"

    def column(self, name: str) -> str | None:
        """The value of a slice column: `language`, `cluster`, `tags.NAME` or `metadata.NAME[.NAME]`; None = not set.

        Raises KeyError for a name that is no column at all.
        """
        head, _, rest = name.partition(".")
        if head in ("id", "language", "source_language", "cluster") and not rest:
            value = getattr(self, head)
        elif head == "tags" and rest:
            value = self.tags.get(rest)
        elif head == "metadata" and rest:
            value = self.metadata
            for part in rest.split("."):
                value = value.get(part) if isinstance(value, dict) else None
        else:
            raise KeyError(name)
        return None if value is None else str(value)
