"""What is sent to a model, and the key that joins everything about it."""

from functools import cached_property, lru_cache
from typing import Any, Literal

from pydantic import Field

from evalkit.core.digest import canonical_json, digest_of_bytes
from evalkit.core.message import Message
from evalkit.core.noun import Noun


class Key(Noun):
    """The one key that joins samples, requests, responses, scores and labels."""

    task: str
    sample_id: str
    attempt: int = 0
    """The how-maniest answer to the same sample, from 0."""
    step: int = 0
    """Within an episode of several requests, from 0."""


class JudgeKey(Noun):
    """What a judge's request adds to the key of the response it judges."""

    judge: str
    criteria: tuple[str, ...] = ()
    vote: int = 0
    order: Literal["", "ab", "ba"] = ""
    """Pairwise: which response was shown first; "" for one response alone."""
    retry: int = 0
    """Asked again because the verdict could not be read, from 0."""


class Sampling(Noun):
    """How the model draws its answer."""

    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1)
    """An answer that reaches this many tokens is cut off: the candidate's failure (`ran_out_of_tokens`)."""
    attempts: int = Field(default=1, ge=1, le=1000)
    """Answers per sample. More than one at temperature 0 asks the same thing again."""
    seed: int | None = Field(default=None, ge=0, lt=2**62)
    """Attempt k is sent with seed + k; None = no seed is sent."""
    stop: tuple[str, ...] = ()


class AnswerForm(Noun):
    """The form an answer must have."""

    kind: Literal["free", "labels", "json_schema"] = "free"
    labels: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None


class ResponseReference(Noun):
    """A response that a judge's request is about."""

    run: str
    key: Key
    response_digest: str


# Handed out as they are: a default that is written into the field is copied anew for every request.
_DEFAULT_SAMPLING = Sampling()
FREE = AnswerForm()


class Request(Noun):
    """One request to one engine."""

    key: Key
    judge_key: JudgeKey | None = None
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    sampling: Sampling = Field(default_factory=lambda: _DEFAULT_SAMPLING)
    answer_form: AnswerForm = Field(default_factory=lambda: FREE)
    about: tuple[ResponseReference, ...] = ()
    send_at_s: float | None = None
    """Seconds after the pass began at which it is to be sent; None = at once."""

    @cached_property
    def digest(self) -> str:
        """Digest of all that is sent; not of the key: two samples that ask the same share it."""
        # The digest of {"answer_form": ..., "messages": ..., "sampling": ..., "tools": ...}, put together from parts,
        # most of which are the same in every request.
        form = b"{}" if self.answer_form is FREE else _canonical_form(self.answer_form)
        messages = b",".join(message.canonical for message in self.messages)
        sampling = _canonical_sampling(*(getattr(self.sampling, name) for name in _SENT_SAMPLING))
        tools = canonical_json(list(self.tools)) if self.tools else b"[]"
        sent = b'{"answer_form":%b,"messages":[%b],"sampling":%b,"tools":%b}' % (form, messages, sampling, tools)
        return digest_of_bytes(sent)


_SENT_SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "stop")


@lru_cache(maxsize=4096, typed=True)
def _canonical_sampling(*values: object) -> bytes:
    return canonical_json(dict(zip(_SENT_SAMPLING, values, strict=True)))


def _canonical_form(form: AnswerForm) -> bytes:
    return canonical_json(form.model_dump(mode="json", exclude_defaults=True))
