import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.core.errors import InputError
from evalkit.core.request import Key
from evalkit.core.response import Response
from evalkit.store.lines import encode_line
from evalkit.store.records import RecordReader, RecordWriter, read_at, read_records, read_rows_as_written
from evalkit.store.torn import mend_torn_tail
from tests.store.strategies import responses

in_one_folder = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def response(number: int, text: str = "yes") -> Response:
    return Response(request_digest="d", key=Key(task="t", sample_id=str(number)), text=text)


def write(path: Path, *records: Response) -> list[int]:
    with RecordWriter(path) as writer:
        return [writer.append(record) for record in records]


@in_one_folder
@given(st.lists(responses, max_size=4))
def test_what_was_appended_is_read_back_equal(tmp_path: Path, records: list[Response]) -> None:
    path = tmp_path / "responses.jsonl"
    path.unlink(missing_ok=True)
    offsets = write(path, *records)
    assert list(read_records(path, Response)) == list(zip(offsets, records, strict=True))
    assert [read_at(path, offset, Response) for offset in offsets] == records


@in_one_folder
@given(st.lists(responses, min_size=1, max_size=3), st.data())
def test_a_file_cut_at_any_byte_keeps_its_whole_lines_and_goes_on(
    tmp_path: Path, records: list[Response], data: st.DataObject
) -> None:
    path = tmp_path / "responses.jsonl"
    path.unlink(missing_ok=True)
    offsets = write(path, *records)
    size = path.stat().st_size
    cut = data.draw(st.integers(0, size))
    os.truncate(path, cut)
    ends = [*offsets[1:], size]
    # A line that lost nothing but its newline was finished.
    whole = [record for record, end in zip(records, ends, strict=True) if end - 1 <= cut]
    expected_torn = 0 if cut + 1 in ends else cut - max((end for end in ends if end <= cut), default=0)

    assert [record for _, record in read_records(path, Response)] == whole
    assert path.stat().st_size == cut, "readers change nothing"
    with RecordWriter(path) as writer:
        assert writer.cut_bytes == expected_torn
        writer.append(response(1))
    assert [record for _, record in read_records(path, Response)] == [*whole, response(1)]


@pytest.mark.parametrize("tail", [b"\x00" * 5000, b'{"request_digest": \n', b"\xff\xfe\n", b"   "])
def test_a_last_line_that_is_no_json_is_torn_however_it_ends(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "responses.jsonl"
    write(path, response(1))
    with path.open("ab") as stream:
        stream.write(tail)
    assert [record for _, record in read_records(path, Response)] == [response(1)]
    assert mend_torn_tail(path) == len(tail)
    assert mend_torn_tail(path) == 0


def test_a_torn_line_longer_than_a_block_is_cut_whole(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    write(path, response(1), response(2, "long " * 100_000))
    os.truncate(path, path.stat().st_size - 10)
    assert mend_torn_tail(path) > 400_000
    assert list(read_records(path, Response)) == [(0, response(1))]


def test_a_bad_line_in_the_middle_is_an_error_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    write(path, response(1))
    with path.open("ab") as stream:
        stream.write(b'\n{"request_digest": "d" "key"}\n' + encode_line(response(2)))
    with pytest.raises(InputError, match=r"responses\.jsonl:3:24: not a JSON object: Expecting ',' delimiter"):
        list(read_records(path, Response))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"request_digest":"d","key":{"task":"t"}}\n', r":2: `key\.sample_id`: Field required"),
        (b'{"request_digest":"d","key":{"task":"t","sample_id":"1"},"mood":1}\n', r":2: `mood`: Extra inputs"),
        (b"[1]\n", r":2:1: not a JSON object|:2: `Response`: Input should be"),
    ],
)
def test_a_line_of_another_form_is_an_error_even_at_the_end(tmp_path: Path, line: bytes, words: str) -> None:
    path = tmp_path / "responses.jsonl"
    write(path, response(1))
    with path.open("ab") as stream:
        stream.write(line)
    with pytest.raises(InputError, match=words):
        list(read_records(path, Response))


def test_a_record_read_at_a_wrong_offset_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    offsets = write(path, response(1), response(2))
    with RecordReader(path, Response) as reader, pytest.raises(InputError, match=r":2:17: not a JSON object"):
        reader.at(offsets[1] + 1)


def test_a_file_that_is_not_there_holds_no_records(tmp_path: Path) -> None:
    assert list(read_records(tmp_path / "no.jsonl", Response)) == []
    assert list(read_rows_as_written(tmp_path / "no.jsonl")) == []
    assert mend_torn_tail(tmp_path / "no.jsonl") == 0


def test_files_and_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "judging" / "gpt" / "responses.jsonl"
    write(path, response(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


@contextmanager
def file_size_limit(limit_bytes: int) -> Iterator[None]:
    """Like a full disk: the system takes a part of a line, then refuses."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_refuses_half_a_line_leaves_the_lines_before_whole(tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    with RecordWriter(path) as writer:
        writer.append(response(1))
        size = path.stat().st_size
        with (
            file_size_limit(size + 40),
            pytest.raises(InputError, match=r"responses\.jsonl: cannot be written: .*ulimit"),
        ):
            writer.append(response(2))
        assert path.stat().st_size == size
        writer.append(response(3))
    assert [record for _, record in read_records(path, Response)] == [response(1), response(3)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_with_its_mend() -> None:
    writer = RecordWriter(Path("/dev/full"))
    with pytest.raises(InputError, match=r"/dev/full: cannot be written: No space left on device\. Make room"):
        writer.append(response(1))
    writer.close()


def test_a_folder_that_cannot_be_made_is_told_with_its_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file where a folder is needed"):
        RecordWriter(tmp_path / "file" / "run" / "responses.jsonl")
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        RecordWriter(tmp_path)


WRITE_FOREVER = """
import sys
from pathlib import Path
from evalkit.core.request import Key
from evalkit.core.response import Response
from evalkit.store.records import RecordWriter
writer = RecordWriter(Path(sys.argv[1]))
first = int(sys.argv[2])
for number in range(first, 10**9):
    writer.append(Response(request_digest="d", key=Key(task="t", sample_id=str(number)), text="word " * 500))
    print(number, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_finished(tmp_path: Path, repository: Path) -> None:
    path, rng, said = tmp_path / "responses.jsonl", random.Random(7), -1
    for _ in range(3):
        command = [sys.executable, "-c", WRITE_FOREVER, str(path), str(said + 1)]
        process = subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process, process.stdout as output:
            output.readline()
            time.sleep(rng.uniform(0, 0.1))
            os.kill(process.pid, signal.SIGKILL)
            lines = [line for line in output if line.endswith("\n")]
        said = int(lines[-1]) if lines else said + 1
        mend_torn_tail(path)
        found = [int(record.key.sample_id) for _, record in read_records(path, Response)]
        assert found == list(range(len(found)))
        assert len(found) - 1 in (said, said + 1), "the last one may have been written and not said"
        said = len(found) - 1
