import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.json_line import LineError, parse_line
from evalkit.core.response import Response
from evalkit.store.lines import encode_line, is_whole
from tests.store.strategies import json_values, responses, texts


@given(responses)
def test_a_record_is_one_line_of_strict_json(response: Response) -> None:
    line = encode_line(response)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    json.loads(line, parse_constant=pytest.fail)


@given(st.dictionaries(texts, json_values(st.integers(-(2**63), 2**64 - 1)), max_size=4))
def test_what_is_written_is_read_back_equal(record: dict[str, object]) -> None:
    assert parse_line(encode_line(record)) == record


def test_fields_that_hold_their_default_are_left_out() -> None:
    response = Response.model_validate({"request_digest": "d", "key": {"task": "t", "sample_id": "1"}, "text": "yes"})
    assert response.digest  # reading the digest must not add it to the line
    assert encode_line(response) == b'{"request_digest":"d","key":{"task":"t","sample_id":"1"},"text":"yes"}\n'


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (b'{"a" 1}\n', 6, "delimiter"),
        (b'{"text": "na\xefve"}\n', 13, "0xef is not UTF-8"),
        ('{"ä": "ö", x}\n'.encode(), 12, "property name"),
        (b'{"a": NaN}\n', 7, "NaN"),
        (b'{"a": 1e999}\n', 7, "larger"),
        (b'{"a": "cut of', 7, "Unterminated"),
        (b"", 1, "Expecting value"),
        (b"[" * 100_000, 1, "nested"),
        (b"\x00\x00\x00", 1, "Expecting value"),
    ],
)
def test_a_line_that_is_no_json_is_told_by_column(line: bytes, column: int, reason: str) -> None:
    with pytest.raises(LineError) as caught:
        parse_line(line)
    assert caught.value.column == column
    assert reason in caught.value.reason


@given(responses, st.data())
def test_no_piece_of_a_line_is_taken_for_a_whole_one(response: Response, data: st.DataObject) -> None:
    line = encode_line(response)
    assert is_whole(line)
    assert is_whole(line[:-1])
    assert not is_whole(line[: data.draw(st.integers(0, len(line) - 2))])
