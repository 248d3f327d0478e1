import gzip
from pathlib import Path

import pytest

from evalkit.core.errors import InputError
from evalkit.scorers.rows import read_rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1}\n{"a": }\n', "rows.jsonl:2:7: not JSON"),
        (b'{"a": 1}\n\n[1]\n', "rows.jsonl:3:1: each line must be one JSON object"),
        (b'{"a": NaN}\n', "rows.jsonl:1:7: NaN is not JSON: write null"),
        (b'{"a": "\xff"}\n', "rows.jsonl:1:8: byte 0xff is not UTF-8"),
        (gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-20], "its gzip data is damaged"),
        (gzip.compress(b'{"a": 1}\n', mtime=0)[:10] + b"garbage", "its gzip data is damaged"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_rows(path))
    assert said in str(caught.value)


def test_gzip_is_known_by_its_bytes_and_blank_lines_and_marks_are_passed_over(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"a": 1}\n\n{"a": "\\ud800"}\n'
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "packed").write_bytes(gzip.compress(content, mtime=0))
    expected = [(1, {"a": 1}), (3, {"a": "\ud800"})]
    assert list(read_rows(tmp_path / "plain")) == list(read_rows(tmp_path / "packed")) == expected


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_rows(tmp_path / "none.jsonl"))
