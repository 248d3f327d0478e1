"""What a server's refusal of one request comes to, however it arrived: over HTTP, or as a line of a batch's results.

500 -> Fault("http_500", ..., again=True)      400 about the context's length -> Fault("prompt_too_long", ...)
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from evalkit.core.failure import Blame, Failure
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing
from evalkit.engines.http_reply import error_message, says_prompt_is_too_long
from evalkit.engines.http_retry import PROMPT_TOO_LONG, Fault, read_retry_after, status_is_worth_another_attempt
from evalkit.engines.http_secrets import Secrets


def refused(status: int, headers: Mapping[str, str], content: bytes, secrets: Secrets) -> Fault:
    """The fault for any status but 200."""
    too_long = status in (400, 413, 422) and says_prompt_is_too_long(content)
    told = f"redirects to {headers.get('Location')}" if 300 <= status < 400 else error_message(content)
    return Fault(
        kind=PROMPT_TOO_LONG if too_long else f"http_{status}",
        message=f"HTTP {status}: {secrets.hide(told)}",
        again=status_is_worth_another_attempt(status),
        retry_after_s=read_retry_after(headers.get("Retry-After"), datetime.now(UTC)),
        status=status,
    )


def failed_response(request: Request, fault: Fault) -> Response:
    """What stands in the answer's place: the candidate's failure when its prompt was too long, else the system's."""
    blame: Blame = "candidate" if fault.kind == PROMPT_TOO_LONG else "system"
    return Response(
        request_digest=request.digest,
        key=request.key,
        judge_key=request.judge_key,
        timing=Timing(scheduled_s=request.send_at_s),
        failure=Failure(blame=blame, stage="generate", kind=fault.kind, message=fault.message),
    )
