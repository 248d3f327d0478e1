"""What went wrong with one attempt at a server: of a status, of an error inside an answer, or of no answer at all.

    HTTP 503                       -> Fault("http_503", again, unreached)
    connection refused             -> Fault("connection", again, unreached, nothing sent)
    200 {"error": {"code": 429}}   -> Fault("http_429", again)

What becomes of it is decided in http_retry.py (another attempt), http_servers.py (is the server gone?) and
openai_http.py (is the run over?).
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from evalkit.core.failure import Blame, Failure
from evalkit.core.request import Request
from evalkit.core.response import Response, Timing
from evalkit.engines.http_json import (
    CONTENT_FILTER,
    BadBody,
    ErrorInside,
    error_message,
    says_content_filter,
    says_prompt_is_too_long,
)
from evalkit.engines.http_secrets import Secrets

PROMPT_TOO_LONG = "prompt_too_long"
OF_THE_CANDIDATE = frozenset({PROMPT_TOO_LONG, CONTENT_FILTER})
"""The kinds of fault that are the candidate's."""

TOO_LARGE = "too_large"

GATEWAY_STATUSES = frozenset({502, 503, 504})
"""What stands before a model says so when nothing, or nothing ready, stands behind it (RFC 9110, 15.6.3 to 15.6.5)."""

_STATUS_OF_CODE = {
    "rate_limit_exceeded": 429, "rate_limit_error": 429, "insufficient_quota": 429, "server_error": 500,
    "internal_server_error": 500, "api_error": 500, "overloaded_error": 500, "invalid_request_error": 400,
    "context_length_exceeded": 400, "authentication_error": 401, "invalid_api_key": 401, "model_not_found": 404,
}  # fmt: skip
"""The status that OpenAI and Anthropic give with a code or type of error, for errors that come with status 200."""


@dataclass(frozen=True)
class Fault:
    """Why one attempt gave no answer."""

    kind: str
    """`http_500`, `timeout`, `connection`, `bad_body`, ..."""
    message: str
    """In words, without secrets."""
    again: bool = True
    """Whether another attempt may end otherwise."""
    retry_after_s: float | None = None
    """How long the server asked to be left alone."""
    status: int | None = None
    """The HTTP status, where there was one."""
    unreached: bool = False
    """Whether it looks as if nobody were there: no connection, a reset one, 502, 503 or 504."""
    sent: bool = True
    """Whether the request may have reached a model, and so may be what brought it down."""
    took_s: float = 0.0
    """How long the server took to say so."""
    counts: bool = True
    """Whether it is one of the attempts that a request has; not when the server turned out to be gone."""


def status_is_worth_another_attempt(status: int) -> bool:
    """Request timeout, conflict, too many requests, and whatever is the server's own trouble."""
    return status in (408, 409, 429) or status >= 500


def fault_of_status(status: int, headers: Mapping[str, str], content: bytes, took_s: float, secrets: Secrets) -> Fault:
    """The fault of an HTTP answer that is not 200, and came after so many seconds."""
    told = f"redirects to {headers.get('Location')}" if 300 <= status < 400 else error_message(content)
    date = _read_date(headers.get("Date"))
    return Fault(
        kind=_kind(status, content),
        message=f"HTTP {status}: {secrets.hide(told) or 'without a word'}",
        again=status_is_worth_another_attempt(status),
        retry_after_s=read_retry_after(headers.get("Retry-After"), date or datetime.now(UTC)),
        status=status,
        unreached=status in GATEWAY_STATUSES,
        took_s=took_s,
    )


def fault_of_body(error: BadBody, secrets: Secrets) -> Fault:
    """The fault of a 200 that holds no answer; an error inside it may say which status it would have had."""
    if not isinstance(error, ErrorInside):
        return Fault("bad_body", secrets.hide(str(error)))
    status = _status_inside(error.error)
    if status is None:
        return Fault("bad_body", secrets.hide(f"the server answered 200 with an error: {error}"))
    return Fault(
        kind=_kind(status, json.dumps(error.error).encode()),
        message=secrets.hide(f"HTTP 200 with an error {status} inside: {error}"),
        again=status_is_worth_another_attempt(status),
        status=status,
    )


def fault_of_no_answer(error: Exception, after_s: float, secrets: Secrets) -> Fault:
    """The fault of an attempt that ended without an answer, `after_s` seconds after it was begun."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return Fault("bad_body", secrets.hide(f"the answer was cut off or garbled: {error}"))
    if isinstance(error, aiohttp.ClientResponseError):
        return Fault("bad_http", secrets.hide(f"what came is no HTTP: {error.message}"))
    connecting = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | ssl.SSLError)
    if isinstance(error, TimeoutError) and not connecting:
        return Fault("timeout", f"no whole answer within {after_s:.3g} s")
    return Fault("connection", secrets.hide(words_for(error)), unreached=True, sent=not connecting)


def words_for(error: Exception) -> str:
    """Why there is no connection, in as few words as say it."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f'the host name "{error.host}" is not known'
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = error.certificate_error
        return f"its certificate is not accepted: {getattr(reason, 'verify_message', '') or reason}"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, TimeoutError):
        return "nothing came in time"
    if isinstance(cause, ConnectionRefusedError) or "Errno 111" in str(cause):
        return "connection refused"
    if isinstance(cause, ConnectionResetError):
        return "connection reset"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed without an answer"
    return str(error) or type(error).__name__


def failed_response(request: Request, fault: Fault) -> Response:
    """What stands in the answer's place: the candidate's failure where the fault is its own, else the system's."""
    blame: Blame = "candidate" if fault.kind in OF_THE_CANDIDATE else "system"
    return Response(
        request_digest=request.digest,
        key=request.key,
        judge_key=request.judge_key,
        timing=Timing(scheduled_s=request.send_at_s),
        failure=Failure(blame=blame, stage="generate", kind=fault.kind, message=fault.message),
    )


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header, a number or an HTTP date (RFC 9110, section 10.2.3); None = not said.

    now: by the server's clock, where it says it: the date is by that clock too, and ours may stand wrong or jump.

    >>> read_retry_after("7", datetime(2026, 1, 1, tzinfo=UTC))
    7.0
    >>> read_retry_after("Thu, 01 Jan 2026 00:00:30 GMT", datetime(2026, 1, 1, tzinfo=UTC))
    30.0
    >>> read_retry_after("soon", datetime(2026, 1, 1, tzinfo=UTC)) is None
    True
    """
    text = (value or "").strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return float(text)
    at = _read_date(text)
    return None if at is None else max(0.0, (at - now).total_seconds())


def _read_date(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _kind(status: int, content: bytes) -> str:
    if status in (400, 413, 422) and says_prompt_is_too_long(content):
        return PROMPT_TOO_LONG
    if status == 400 and says_content_filter(content):
        return CONTENT_FILTER
    return f"http_{status}"


def _status_inside(error: Any) -> int | None:
    """The status that an error would have had, by its code, status or type; None = it does not say."""
    if not isinstance(error, dict):
        return None
    for said in (error.get("code"), error.get("status"), error.get("type")):
        status = _STATUS_OF_CODE.get(said) if isinstance(said, str) else said
        if status is None and isinstance(said, str) and said.isdecimal() and said.isascii() and len(said) == 3:
            status = int(said)
        if isinstance(status, int) and 400 <= status <= 599:
            return status
    return None
