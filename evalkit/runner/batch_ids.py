"""The `custom_id` of a request in a batch file: short, unique, and of no use to any other run.

    evalkit-3f2a90c1d2e4-8a1f...   12 digits for the run, 32 for the request's key and digest: 53 characters

OpenAI and others allow 64.
"""

import re

from evalkit.core.digest import digest_of
from evalkit.core.manifest import RunManifest
from evalkit.core.request import Request

_WRITTEN = re.compile(r"evalkit-([0-9a-f]{12})-([0-9a-f]{32})")


def run_mark(manifest: RunManifest) -> str:
    """The 12 digits of a run: fixed when it was made, and another one's are others."""
    begun = manifest.started_at.isoformat()
    return digest_of([manifest.run_id, begun, manifest.digests.get("candidate"), manifest.merged_from])[:12]


def request_mark(request: Request) -> bytes:
    """The 16 bytes of a request: its key, what a judge adds to it, and the digest of what is sent."""
    judged = request.judge_key and request.judge_key.model_dump(mode="json")
    return bytes.fromhex(digest_of([request.key.model_dump(mode="json"), judged, request.digest]))


def custom_id(mark: str, request: Request) -> str:
    """The id under which a request goes into a batch file."""
    return f"evalkit-{mark}-{request_mark(request).hex()}"


def read_custom_id(text: str) -> tuple[str, bytes] | None:
    """(run's mark, request's mark) of an id that we gave; None for any other.

    >>> read_custom_id("evalkit-0123456789ab-" + "0" * 32) == ("0123456789ab", bytes(16))
    True
    >>> read_custom_id("request-1") is None
    True
    """
    written = _WRITTEN.fullmatch(text)
    return None if written is None else (written[1], bytes.fromhex(written[2]))
