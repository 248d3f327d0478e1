"""What a record is about, as 16 bytes: the keys of the indexes.

A digest is BLAKE2b over the parts, each text with its length before it, so that no two keys run into each other. These
digests live in memory only: files hold the keys themselves.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from evalkit.core.request import JudgeKey, Key

KEY_DIGEST_BYTES = 16


def key_digest(key: Key, judge_key: JudgeKey | None = None, request_digest: str = "") -> bytes:
    """Digest of a key, of what a judge adds to it, and (for resume) of what was sent.

    >>> key_digest(Key(task="t", sample_id="1")) == key_digest(Key(task="t", sample_id="1", attempt=0))
    True
    """
    judged = ""
    if judge_key is not None:
        judged = _judged(judge_key.judge, judge_key.criteria, judge_key.vote, judge_key.order, judge_key.retry)
    return _digest(_keyed(key.task, key.sample_id, key.attempt, key.step), judged, request_digest)


def score_key_digest(key: Key, scorer: str, scorer_digest: str, response_digests: Iterable[str] = ()) -> bytes:
    """Digest of what a score is about: a key, and the current digests of the scorer and of the responses."""
    return _digest(_keyed(key.task, key.sample_id, key.attempt, key.step), scorer, scorer_digest, *response_digests)


def response_key_of(record: Mapping[str, Any]) -> bytes:
    """`key_digest(key, judge_key)` of a line of `responses.jsonl` or `requests.jsonl`, as written."""
    return _digest(_key_of(record), _judge_key_of(record), "")


def finished_key_of(record: Mapping[str, Any]) -> bytes | None:
    """`key_digest(key, judge_key, request_digest)` of a response as written.

    None for a failure of the system: it is not finished, and is asked again.
    """
    failure = record.get("failure")
    if failure is not None and failure["blame"] == "system":
        return None
    return _digest(_key_of(record), _judge_key_of(record), record["request_digest"])


def score_key_of(record: Mapping[str, Any]) -> bytes | None:
    """`score_key_digest` of a line of `scores.jsonl`, as written.

    None where the judge's engine or server failed to give a verdict: it is asked for again.
    """
    failure = record.get("failure")
    if failure is not None and failure["blame"] == "system" and failure["stage"] == "judge":
        return None
    return _digest(_key_of(record), record["scorer"], record["scorer_digest"], *record.get("response_digests", ()))


def _key_of(record: Mapping[str, Any]) -> str:
    key = record["key"]
    return _keyed(key["task"], key["sample_id"], key.get("attempt", 0), key.get("step", 0))


def _judge_key_of(record: Mapping[str, Any]) -> str:
    key = record.get("judge_key")
    if key is None:
        return ""
    return _judged(key["judge"], key.get("criteria", ()), key.get("vote", 0), key.get("order", ""), key.get("retry", 0))


def _keyed(task: str, sample_id: str, attempt: int, step: int) -> str:
    return f"{len(task)}:{task}{len(sample_id)}:{sample_id}{attempt},{step}"


def _judged(judge: str, criteria: Iterable[str], vote: int, order: str, retry: int) -> str:
    named = "".join(f"{len(criterion)}:{criterion}" for criterion in criteria)
    return f"{len(judge)}:{judge}{len(named)}:{named}{vote},{order},{retry}"


def _digest(*parts: str) -> bytes:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_DIGEST_BYTES).digest()
