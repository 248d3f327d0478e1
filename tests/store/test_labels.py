import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evalkit.core.errors import InputError
from evalkit.core.label import Label
from evalkit.store.labels import Item, read_items, read_labels, read_rows, read_verdicts
from evalkit.store.labels_folder import LabelsFolder

LABEL = {"item_id": "1", "system": "a", "annotator": "p", "criterion": "c", "value": "yes"}
VERDICT = {"item_id": "1", "system": "a", "judge": "j", "criterion": "c", "value": None, "raw": "I cannot"}


def write(path: Path, *rows: object) -> Path:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["human.jsonl", "human.jsonl.gz"])
def test_rows_come_with_their_line_whatever_blank_lines_stand_between(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "", LABEL, "   ", {**LABEL, "value": 3, "z": -1.5})
    assert [line for line, _ in read_rows(path)] == [2, 4]
    first, second = read_labels(path)
    assert (first.value, first.line, first.field("annotator"), first.field("z")) == ("yes", 2, "p", None)
    assert (second.value, second.extra, second.field("z"), second.field("value")) == (3, {"z": -1.5}, -1.5, 3)


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "human.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(LABEL).encode() + b"\r\n\r\n" + json.dumps(LABEL).encode())
    assert [label.line for label in read_labels(path)] == [1, 3]


def test_awkward_texts_in_a_row_are_kept(tmp_path: Path) -> None:
    raw = "a\u2028b\u0085c\ud800\u202e"
    path = write(
        tmp_path / "judge.jsonl", {**VERDICT, "raw": raw}, json.dumps({**VERDICT, "raw": "\u2028"}, ensure_ascii=False)
    )
    assert [verdict.raw for verdict in read_verdicts(path)] == [raw, "\u2028"]


def test_a_verdict_that_could_not_be_read_keeps_what_was_written(tmp_path: Path) -> None:
    row = {**VERDICT, "prompting": "Swap", "order": "ba", "raw_value": 2}
    (verdict,) = read_verdicts(write(tmp_path / "judge.jsonl", row))
    assert (verdict.value, verdict.raw, verdict.prompting, verdict.order) == (None, "I cannot", "Swap", "ba")
    assert (verdict.field("raw_value"), verdict.field("order")) == (2, "ba")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"item_id": "1" 2}', r"rows\.jsonl:2:17: not JSON"),
        ('{"item_id": "1"', r"rows\.jsonl:2:16: not JSON"),
        ("{'item_id': 1}", r"rows\.jsonl:2:2: not JSON"),
        ('[{"item_id": "1"}', r"rows\.jsonl:2:18: not JSON.*JSON array"),
        ('["item"]', r"rows\.jsonl:2:1: each line is one JSON object.*found '\[\"item\"\]'"),
        ("null", r"rows\.jsonl:2:1: each line is one JSON object"),
        ('{"value": NaN}', r"rows\.jsonl:2:11: not JSON: NaN"),
    ],
)
def test_a_bad_line_is_told_with_line_and_column(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        list(read_rows(write(tmp_path / "rows.jsonl", LABEL, content, LABEL)))


def test_text_that_is_not_utf8_is_told_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": "b"}\n{"a": "\xc3\xa9t\xe9"}\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2:10: byte 0xe9 is not UTF-8\. Save the file as UTF-8"):
        list(read_rows(path))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.jsonl: cannot be read: No such file"):
        list(read_rows(tmp_path / "no.jsonl"))
    with pytest.raises(InputError, match="Name a file; this is a folder"):
        list(read_rows(tmp_path))


def test_gzip_that_is_none_cut_short_or_damaged_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", *[LABEL] * 500).rename(tmp_path / "rows.jsonl.gz")
    with pytest.raises(InputError, match=r"rows\.jsonl\.gz: is named \.gz but is not gzip"):
        list(read_rows(path))
    packed = gzip.compress(b'{"a": 1}\n' * 5000)
    path.write_bytes(packed[:-20])
    with pytest.raises(InputError, match=r"rows\.jsonl\.gz:\d+: its gzip data ends too early\. Copy or download"):
        list(read_rows(path))
    path.write_bytes(packed[:-8] + b"\x00" * 8)
    with pytest.raises(InputError, match=r"rows\.jsonl\.gz:5001: its gzip data is damaged"):
        list(read_rows(path))
    path.write_bytes(packed[:20] + bytes(255 - byte for byte in packed[20:]))
    with pytest.raises(InputError, match=r"rows\.jsonl\.gz:1: its gzip data is damaged"):
        list(read_rows(path))


def test_gzip_is_known_by_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    assert [row for _, row in read_rows(write(tmp_path / "a.gz", LABEL).rename(tmp_path / "human.jsonl"))] == [LABEL]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"item_id": 417}, r":1: `item_id` is a text that is not empty; found 417"),
        ({"item_id": ""}, r":1: `item_id` is a text that is not empty; found ''"),
        ({"annotator": None}, r":1: `annotator` is a text"),
        ({"system_b": 2}, r":1: `system_b` is a text, or left out; found 2"),
        ({"value": ["yes"]}, r":1: `value` is a label \(text\), a number, or null; found \['yes'\]"),
        ({"system_b": "b", "value": "A"}, r':1: `value` is "a" \(system is better\)'),
        ({"system_b": "b", "value": 1}, r":1: `value` is \"a\""),
        ({"criterion": "c" * 100, "value": {"much": "text " * 50}}, r"found .{60}\.\.\.\."),
    ],
)
def test_a_field_of_the_wrong_type_is_told_with_its_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        list(read_labels(write(tmp_path / "human.jsonl", {**LABEL, **change})))


@pytest.mark.parametrize("field", ["item_id", "annotator", "criterion", "value"])
def test_a_label_that_lacks_a_field_is_told_with_its_line(tmp_path: Path, field: str) -> None:
    row = {name: value for name, value in LABEL.items() if name != field}
    with pytest.raises(InputError, match=rf"human\.jsonl:2: this label has no `{field}`\. Add it\."):
        list(read_labels(write(tmp_path / "human.jsonl", LABEL, row)))


def test_verdicts_taken_for_labels_are_told_and_the_other_way_round(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", VERDICT)
    with pytest.raises(InputError, match=r"no `annotator`\. It has `judge`: is this a file of verdicts\?"):
        list(read_labels(path))
    path = write(tmp_path / "rows.jsonl", LABEL)
    with pytest.raises(InputError, match=r"no `judge`\. It has `annotator`: is this a file of labels\?"):
        list(read_verdicts(path))


def test_an_order_is_ab_or_ba(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r':1: `order` is "ab" \(system was shown first\), "ba", or left out; found \'AB\''
    ):
        list(read_verdicts(write(tmp_path / "judge.jsonl", {**VERDICT, "order": "AB"})))


def test_an_item_that_is_there_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "items.jsonl", {"item_id": "1"}, {"item_id": "2"}, {"item_id": "1"})
    with pytest.raises(InputError, match=r'items\.jsonl:3: item "1" is there twice: line 1 has it too'):
        list(read_items(path))


def test_an_items_columns_are_texts_by_their_dotted_names() -> None:
    item = Item(1, "1", {"item_id": "1", "language": "en", "meta": {"split": "dev", "turn": 2, "note": None}})
    columns = [item.column(name) for name in ("language", "meta.split", "meta.turn", "meta.note", "meta.x.y", "topic")]
    assert columns == ["en", "dev", "2", None, None, None]


ROWS = {
    "xstest": (450, 6750, 4500, 11),
    "pandalm": (999, 2997, 1998, 25),
    "llmbar": (419, 419, 22626, 71),
    "hanna": (96, 19008, 126720, 0),
    "mlqe_pe": (14000, 92000, 14000, 0),
    "summhay_eval": (195, 1419, 8514, 0),
    "unieval_dialogue_d2t": (1038, 8328, 8328, 0),
}


@pytest.mark.parametrize("name", ROWS)
def test_recorded_data_is_read_whole(recorded_data: Path, name: str) -> None:
    folder = LabelsFolder.find(recorded_data / name)
    assert folder.items is not None
    assert folder.human is not None
    assert folder.judge is not None
    items = {item.item_id for item in read_items(folder.items)}
    labels = Counter(label.item_id for label in read_labels(folder.human))
    verdicts = Counter((verdict.item_id, verdict.value is None) for verdict in read_verdicts(folder.judge))
    missing = sum(count for (_, is_missing), count in verdicts.items() if is_missing)
    assert (len(items), labels.total(), verdicts.total(), missing) == ROWS[name]
    assert {*labels, *(item_id for item_id, _ in verdicts)} <= items


def test_a_row_that_is_read_is_a_label_of_the_core(recorded_data: Path) -> None:
    for line, row in read_rows(recorded_data / "mlqe_pe" / "human.jsonl.gz"):
        assert Label.model_validate(row).model_extra == {"z": row["z"]}
        if line == 100:
            break


def test_a_folder_of_labels_is_known_by_its_files(tmp_path: Path) -> None:
    write(tmp_path / "human.jsonl.gz", LABEL)
    found = LabelsFolder.find(tmp_path)
    assert (found.human, found.judge, found.items) == (tmp_path / "human.jsonl.gz", None, None)
    write(tmp_path / "human.jsonl", LABEL)
    with pytest.raises(InputError, match=r"holds human\.jsonl and human\.jsonl\.gz\. Keep one"):
        LabelsFolder.find(tmp_path)


def test_a_folder_without_labels_is_told_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no labels: looked for human\.jsonl"):
        LabelsFolder.find(tmp_path)
    with pytest.raises(InputError, match="there is no such folder"):
        LabelsFolder.find(tmp_path / "no")
    with pytest.raises(InputError, match="is a file; name its folder"):
        LabelsFolder.find(write(tmp_path / "file", LABEL))
