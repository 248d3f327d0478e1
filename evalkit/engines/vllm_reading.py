"""From what vLLM hands back to a Response.

    RequestOutput(outputs=[CompletionOutput(text="4", finish_reason="stop", ...)], metrics=...)
    -> Response(text="4", finish_reason="stop", usage=Usage(...), timing=Timing(...))

Read by attribute alone: vLLM is not imported here.
"""

from typing import Any

from evalkit.core.request import Request
from evalkit.core.response import Response, Timing, Usage
from evalkit.engines.request_fault import ran_out
from evalkit.engines.vllm_sampling import VllmAsk

Thought = tuple[str | None, str | None, int | None]
"""What a reasoning parser made of a text: thinking, answer, tokens of thinking."""


def read_output(
    output: Any, ask: VllmAsk, request: Request, thought: Thought | None, timing: Timing, max_model_len: int
) -> Response:
    """The response. thought: None = no reasoning parser is set, and the whole text is the answer."""
    completion = output.outputs[0]
    token_ids = completion.token_ids
    common: dict[str, Any] = {
        "request_digest": request.digest,
        "key": request.key,
        "judge_key": request.judge_key,
        "timing": timing,
    }
    usage = Usage(prompt_tokens=len(ask.prompt), cached_tokens=output.num_cached_tokens, output_tokens=len(token_ids))
    if ask.label_of:
        label = ask.label_of[token_ids[0]]
        logprobs = _label_logprobs(completion.logprobs[0], ask.label_of)
        # One token was asked for and one came: nothing was cut off, though vLLM calls it "length".
        return Response(text=label, label_logprobs=logprobs, finish_reason="stop", usage=usage, **common)
    reasoning, text = None, completion.text
    if thought is not None:
        reasoning, text = thought[0] or None, thought[1] or ""
        usage = usage.model_copy(update={"reasoning_tokens": thought[2] or None})
    finish_reason = completion.finish_reason
    is_cut_off = finish_reason == "length"
    return Response(
        text=text,
        reasoning=reasoning,
        finish_reason=finish_reason,
        stop_reason=None if completion.stop_reason is None else str(completion.stop_reason),
        usage=usage,
        failure=ran_out(request, len(ask.prompt), len(token_ids), max_model_len) if is_cut_off else None,
        **common,
    )


def read_timing(metrics: Any, request: Request, started_at_s: float, sent_at_s: float) -> Timing:
    """When things happened. started_at_s, sent_at_s: on the monotonic clock, which is also that of vLLM's `*_ts`.

    vLLM's arrival time is on the wall clock, and so no part of any difference here.
    """
    queued_s = ttft_s = e2e_s = None
    if metrics is not None and metrics.first_token_ts:
        queued_s = max(0.0, metrics.scheduled_ts - sent_at_s)
        ttft_s = metrics.first_token_ts - sent_at_s
        e2e_s = metrics.last_token_ts - sent_at_s
    return Timing(
        scheduled_s=request.send_at_s, sent_s=sent_at_s - started_at_s, queued_s=queued_s, ttft_s=ttft_s, e2e_s=e2e_s
    )


def _label_logprobs(logprobs: Any, label_of: dict[int, str]) -> dict[str, float]:
    """Label -> the natural log-probability of its first token among all tokens. What is less likely than any number
    says (-inf, which JSON has no word for) is left out, as what a server does not report is.
    """
    found = {label: float(logprobs[token].logprob) for token, label in label_of.items() if token in logprobs}
    return {label: logprob for label, logprob in found.items() if logprob > float("-inf")}
