"""From a request to vLLM's sampling parameters, as plain data.

labels none, partial, full whose first tokens differ
-> {"max_tokens": 1, "allowed_token_ids": [400, 401, 402], "logprob_token_ids": [400, 401, 402], ...}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.core.request import Request

MOST_LABELS = 128
"""vLLM gives the log-probabilities of at most so many tokens that are asked for by id."""


@dataclass(frozen=True)
class VllmAsk:
    """One request, as vLLM takes it."""

    prompt: list[int]
    """Token ids."""
    sampling: dict[str, Any]
    """Names and values of vLLM's SamplingParams; `structured_outputs` as a mapping of its own."""
    label_of: dict[int, str] = field(default_factory=dict)
    """Token -> the label it stands for, when the answer is one step; {} = the answer is the text itself."""


def vllm_ask(request: Request, prompt: list[int], first_tokens: Mapping[str, int] | None) -> VllmAsk:
    """What to ask for. first_tokens: label -> its first token, when that alone tells the labels apart."""
    sampling: dict[str, Any] = {
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "max_tokens": request.sampling.max_tokens,
    }
    if request.sampling.seed is not None:
        sampling["seed"] = request.sampling.seed
    if request.sampling.stop:
        sampling["stop"] = list(request.sampling.stop)
    form = request.answer_form
    if form.kind == "json_schema":
        return VllmAsk(prompt, sampling | {"structured_outputs": _json_form(form.json_schema)})
    if form.kind == "free":
        return VllmAsk(prompt, sampling)
    if first_tokens and len(first_tokens) <= MOST_LABELS:
        # Held to the labels, the model draws one of them; the log-probabilities are those from before it was held, so
        # that they add up to how much of it wanted to answer with a label at all.
        ids = list(first_tokens.values())
        one_step = {"max_tokens": 1, "allowed_token_ids": ids, "logprob_token_ids": ids}
        sampling.pop("stop", None)
        return VllmAsk(prompt, sampling | one_step, {token: label for label, token in first_tokens.items()})
    return VllmAsk(prompt, sampling | {"structured_outputs": {"choice": list(form.labels)}})


def _json_form(schema: dict[str, Any] | None) -> dict[str, Any]:
    return {"json": schema} if schema else {"json_object": True}
