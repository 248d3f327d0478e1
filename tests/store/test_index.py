import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import InputError
from evalkit.core.failure import Failure
from evalkit.core.request import JudgeKey, Key
from evalkit.core.response import Response
from evalkit.store import index as index_module
from evalkit.store.index import DigestIndex, index_finished, index_responses, read_last
from evalkit.store.keys import key_digest, response_key_of
from evalkit.store.records import RecordWriter, read_at

TIMEOUT = Failure(blame="system", stage="generate", kind="timeout")

# Few different bytes, so that digests meet in their first half, in their second, and in both.
digests = st.binary(min_size=2, max_size=2).map(lambda two: bytes([two[0] % 3]) * 8 + bytes([two[1] % 3]) * 8)


@given(st.lists(digests, max_size=30), st.lists(digests, max_size=30))
def test_an_index_holds_the_last_offset_of_each_digest(built: list[bytes], added: list[bytes]) -> None:
    index = DigestIndex((digest, offset) for offset, digest in enumerate(built))
    expected = {digest: offset for offset, digest in enumerate(built)}
    for offset, digest in enumerate(added, start=len(built)):
        index.add(digest, offset)
        expected[digest] = offset
    assert all(index.offset(digest) == offset for digest, offset in expected.items())
    assert len(index) == len(expected)
    assert index.offsets().tolist() == sorted(expected.values())
    assert all(index.offset(digest) == offset for digest, offset in expected.items()), "packed, it says the same"
    assert b"\xff" * 16 not in index


def test_what_is_added_beyond_the_limit_is_packed_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "RECENT_LIMIT", 10)
    names = [hashlib.blake2b(bytes([number]), digest_size=16).digest() for number in range(64)]
    index = DigestIndex()
    for offset, digest in enumerate([*names, *names[:20]]):
        index.add(digest, offset)
    assert [index.offset(digest) for digest in names] == [*range(64, 84), *range(20, 64)]


def response(sample_id: str, text: str = "", failure: Failure | None = None) -> Response:
    return Response(request_digest="d", key=Key(task="t", sample_id=sample_id), text=text, failure=failure)


def test_readers_take_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    with RecordWriter(path) as writer:
        for record in (response("1", "old"), response("2", "only"), response("1", "new")):
            writer.append(record)
    index = index_responses(path)
    offset = index.offset(key_digest(Key(task="t", sample_id="1")))
    assert offset is not None
    assert read_at(path, offset, Response).text == "new"
    assert [record.text for _, record in read_last(path, Response, response_key_of)] == ["only", "new"]


def test_resume_finds_what_is_finished_and_asks_the_systems_failures_again(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    judged = response("1").model_copy(update={"judge_key": JudgeKey(judge="j")})
    with RecordWriter(path) as writer:
        for record in (response("1", "yes"), response("2", failure=TIMEOUT), judged):
            writer.append(record)
    finished = index_finished(path)
    assert key_digest(Key(task="t", sample_id="1"), None, "d") in finished
    assert key_digest(Key(task="t", sample_id="1"), JudgeKey(judge="j"), "d") in finished
    assert key_digest(Key(task="t", sample_id="1"), None, "another request") not in finished
    assert key_digest(Key(task="t", sample_id="2"), None, "d") not in finished


def test_a_file_that_is_not_there_is_an_empty_index(tmp_path: Path) -> None:
    assert len(index_finished(tmp_path / "responses.jsonl")) == 0
    assert list(read_last(tmp_path / "responses.jsonl", Response, response_key_of)) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"text": "no key"}', r":2: `key` is missing"),
        ('{"key": {"task": "t"}}', r":2: `sample_id` is missing"),
        ('{"key": "t/1"}', r":2: a part of its key has a wrong type"),
        ('{"key": {"task": 1, "sample_id": 2}}', r":2: a part of its key has a wrong type"),
    ],
)
def test_a_line_without_a_key_is_an_error_with_its_number(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "responses.jsonl"
    with RecordWriter(path) as writer:
        writer.append(response("1"))
    with path.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError, match=words):
        index_responses(path)
