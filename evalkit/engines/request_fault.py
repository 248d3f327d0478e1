"""What keeps one request from being answered, on its way through an engine: raised inside, a Response outside.

raise RequestFault("prompt_too_long", "the prompt has 900 tokens ...", blame="candidate")
-> Response(failure=Failure(blame="candidate", stage="generate", kind="prompt_too_long", ...))
"""

import re

from evalkit.core.failure import Blame, Failure
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing

ENGINE_DIED = "engine_died"
PROMPT_TOO_LONG = "prompt_too_long"
CHAT_TEMPLATE = "chat_template"
ANSWER_FORM_NOT_SUPPORTED = "answer_form_not_supported"
REFUSED = "refused"
"""The engine would not take the request, for a reason of its own."""


class RequestFault(Exception):
    """One request fails and its neighbours go on. `str` is one sentence for the failure's message."""

    def __init__(self, kind: str, message: str, *, blame: Blame = "system"):
        super().__init__(message)
        self.kind = kind
        self.blame: Blame = blame

    def response(self, request: Request) -> Response:
        """What stands in the answer's place."""
        return Response(
            request_digest=request.digest,
            key=request.key,
            judge_key=request.judge_key,
            timing=Timing(scheduled_s=request.send_at_s),
            failure=Failure(blame=self.blame, stage="generate", kind=self.kind, message=str(self)),
        )


# What libraries put after the sentence that matters: where to read on (pydantic), how to see more (torch).
_ADVICE = re.compile(r"^(For further information|Set TORCHDYNAMO_|For even more developer|CUDA kernel errors|Compile)")
_INPUT = re.compile(r" \[type=\w+, input_value=.*$")


def one_line(error: BaseException) -> str:
    """The last line of what an exception says, or its name: libraries put their own sentence last.

    >>> one_line(ValueError("1 error:\\n  Value error, x is 3 [type=value_error, input_value=3]"))
    'x is 3'
    """
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not _ADVICE.match(line)]
    return _INPUT.sub("", said[-1]).removeprefix("Value error, ") if said else type(error).__name__


def check_length(prompt_tokens: int, max_model_len: int) -> None:
    """Raise the candidate's fault for a prompt that leaves no room for a single token of an answer."""
    if prompt_tokens >= max_model_len:
        message = (
            f"the prompt has {prompt_tokens} tokens; with at least one for the answer that is more than the "
            f"{max_model_len} the model takes"
        )
        raise RequestFault(PROMPT_TOO_LONG, message, blame="candidate")


def ran_out(request: Request, prompt_tokens: int, output_tokens: int, max_model_len: int) -> Failure:
    """The candidate's failure for an answer that was cut off, by whichever limit came first."""
    if output_tokens >= request.sampling.max_tokens:
        message = f"the answer was cut off at {request.sampling.max_tokens} tokens"
    else:
        message = (
            f"the answer was cut off after {output_tokens} tokens: the prompt has {prompt_tokens}, and the model takes "
            f"{max_model_len} in all"
        )
    return Failure(blame="candidate", stage="generate", kind="ran_out_of_tokens", message=message)
