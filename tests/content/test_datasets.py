"""Samples are streamed, one by one; a row that is no sample is said with its line."""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.content.datasets import iter_samples
from evalkit.core.errors import InputError, Place
from evalkit.core.message import Message
from evalkit.core.sample import Sample
from evalkit.core.suite import DataSource, ScorerSpec, Task
from tests.content.conftest import Put
from tests.strategies import samples

ROW = '{"id": "q1", "input": "2 + 2?", "target": "4"}\n'


def task_on(file: str, **columns: str) -> Task:
    scorers = (ScorerSpec(scorer="exact", name="exact"),)
    return Task(name="t", data=DataSource(file=file, columns=columns), scorers=scorers)


def read(task: Task, folder: str = ".") -> list[tuple[int, Sample]]:
    return list(iter_samples(task, Path(folder)))


def only(task: Task) -> Sample:
    ((_, sample),) = read(task)
    return sample


def error_of(task: Task) -> str:
    with pytest.raises(InputError) as caught:
        read(task)
    return str(caught.value)


def test_a_line_is_a_sample_with_its_line(put: Put) -> None:
    put("d.jsonl", ROW + "\n" + ROW.replace("q1", "q2"))
    assert read(task_on("d.jsonl")) == [
        (1, Sample(id="q1", input="2 + 2?", target=("4",))),
        (3, Sample(id="q2", input="2 + 2?", target=("4",))),
    ]


@given(st.lists(samples(), min_size=1, max_size=5, unique_by=lambda sample: sample.id))
def test_samples_that_are_written_are_read_back_equal(written: list[Sample]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with gzip.open(f"{folder}/d.jsonl.gz", "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps(sample.model_dump(mode="json")) + "\n" for sample in written)
        assert [sample for _, sample in iter_samples(task_on("d.jsonl.gz"), Path(folder))] == written


def test_the_first_sample_is_there_before_the_last_line_is_read(put: Put) -> None:
    put("d.jsonl", ROW + "this is no JSON\n")
    stream = iter_samples(task_on("d.jsonl"), Path())
    assert next(stream)[1].id == "q1"
    with pytest.raises(InputError, match=r"d\.jsonl:2:1: "):
        next(stream)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW, '2: sample id "q1" is here twice: first in line 1.'),
        ('{"input": "a"}', "2: `id` is missing here: Unique within the task."),
        ('{"id": "q2"}', "2: needs `input` (a text) or `messages` (a conversation)."),
        ('{"id": "q2", "input": ""}', "2: needs `input` (a text) or `messages` (a conversation)."),
        ('{"id": "q2", "input": "a", "langauge": "en"}', '2: key "langauge" is not known here. Did you mean "lang'),
        ('{"id": "q2", "input": ["a"]}', "2: `input` is a list; expected text."),
        ('{"id": "q2", "input": true}', "2: `input` is true; expected text."),
        ('{"id": "q2", "input": "a", "target": ["x", {}]}', "2: `target[1]` is a mapping; expected text."),
        ('{"id": "q2", "messages": [{"role": "usr"}]}', '2: `role` is "usr"; expected one of: system, user, '),
        ('{"id": "q2", "input": "a", "tags": ["x"]}', "2: `tags` is a list; expected a mapping"),
        ('["q2"]', "2:1: each line is one JSON object"),
        ('{"id": "q2", ', "2:"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_sample_is_said_with_its_line(put: Put, row: str, message: str) -> None:
    put("data/d.jsonl", ROW + row + "\n")
    assert error_of(task_on("data/d.jsonl")).startswith(f"data/d.jsonl:{message}")


def test_data_without_a_row_is_an_error(put: Put) -> None:
    put("d.jsonl", "\n")
    assert error_of(task_on("d.jsonl")) == "d.jsonl: there is no sample in it; expected one row for each"


def test_numbers_where_text_is_expected_are_the_text_they_were_written_as(put: Put) -> None:
    put("d.jsonl", '{"id": 7, "input": "a", "target": 18, "tags": {"turn": 2}, "cluster": 1.5}')
    assert only(task_on("d.jsonl")) == Sample(id="7", input="a", target=("18",), tags={"turn": "2"}, cluster="1.5")


def test_half_a_surrogate_pair_in_recorded_data_is_kept(put: Put) -> None:
    put("d.jsonl", '{"id": "a", "input": "cut \\ud83d"}')
    assert only(task_on("d.jsonl")).input == "cut \ud83d"


def test_null_is_an_absent_field(put: Put) -> None:
    put("d.jsonl", '{"id": "a", "input": "b", "target": null, "language": null, "tags": {"x": null}}')
    assert only(task_on("d.jsonl")) == Sample(id="a", input="b")


def test_a_recorded_message_that_calls_a_tool_may_have_no_content(put: Put) -> None:
    put("d.jsonl", '{"id": "a", "messages": [{"role": "assistant", "content": null, "tool_calls": [{"id": "1"}]}]}')
    assert only(task_on("d.jsonl")).messages == (Message(role="assistant", tool_calls=({"id": "1"},)),)


def test_columns_are_mapped_and_the_others_keep_their_names(put: Put) -> None:
    put(
        "d.jsonl",
        '{"item_id": "q1", "prompt": "hi", "reference": "yo", "language": "na", "category": "c",'
        ' "meta": {"label": "safe", "deep": {"er": 1}}, "id": 9}',
    )
    columns = {"id": "item_id", "input": "prompt", "target": "reference"}
    columns |= {"metadata.topic": "category", "tags.depth": "meta.deep.er"}
    sample = only(task_on("d.jsonl", **columns))
    assert sample == Sample(
        id="q1",
        input="hi",
        target=("yo",),
        language="na",
        tags={"depth": "1"},
        metadata={"meta": {"label": "safe", "deep": {"er": 1}}, "id": 9, "topic": "c"},
    )
    assert sample.column("metadata.meta.label") == "safe"


def test_mapped_metadata_joins_what_is_there(put: Put) -> None:
    put("d.jsonl", '{"id": "a", "input": "b", "info": {"x": 1}, "other": 2}')
    assert only(task_on("d.jsonl", metadata="info")).metadata == {"x": 1, "other": 2}


def test_a_mistyped_column_is_said_at_the_first_row(put: Put) -> None:
    put("d.jsonl", '{"id": "a", "prompt": "b"}\n')
    assert error_of(task_on("d.jsonl", input="promt")).startswith(
        'd.jsonl:1: column "promt" of `columns:` is not in this row. Did you mean "prompt"?'
    )


def test_a_column_that_some_rows_lack_is_absent_there_and_one_that_all_lack_is_an_error(put: Put) -> None:
    put("d.jsonl", '{"id": "a", "input": "b"}\n{"id": "b", "input": "b", "gold": "x"}\n')
    assert [sample.target for _, sample in read(task_on("d.jsonl", target="gold"))] == [(), ("x",)]
    assert error_of(task_on("d.jsonl", target="wanted")) == 'd.jsonl: column "wanted" of `columns:` is in no row'


def test_cells_of_a_csv_file_stay_the_text_they_are(put: Put) -> None:
    rows = (
        "id,input,target,language,choices",
        '007,"one,\r\ntwo",None,na,"[""NA"", ""null""]"',
        "8,nan,NA,no,",
        "9,1.10,,,",
    )
    put("d.csv", "\ufeff" + "\r\n".join(rows))
    assert read(task_on("d.csv")) == [
        (2, Sample(id="007", input="one,\r\ntwo", target=("None",), language="na", choices=("NA", "null"))),
        (4, Sample(id="8", input="nan", target=("NA",), language="no")),
        (5, Sample(id="9", input="1.10")),
    ]


def test_a_csv_column_that_is_empty_everywhere_is_still_there(put: Put) -> None:
    put("d.csv", "id,input,gold\na,b,\n")
    assert only(task_on("d.csv", target="gold")) == Sample(id="a", input="b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "d.csv:1: the file is empty; expected a header and rows"),
        ("id,input\n", "d.csv: there is no sample in it"),
        ("id,id\na,b\n", 'd.csv:1: column "id" is in the header twice'),
        ("id,input\na,b,c\n", "d.csv:2: this row has 3 cells, the header has 2."),
        ('id,input\na,"b\nc\nd,e\n', "d.csv:2: this is not CSV: "),
        ('id,input\na,"b\nc"\nb,"x"y\n', "d.csv:4: this is not CSV: "),
        ("id,input\na,b\na,c\n", 'd.csv:3: sample id "a" is here twice: first in line 2.'),
        ("id,input,choices\na,b,x y\n", 'd.csv:2: `choices` is "x y"; in a CSV file its cell holds JSON'),
        ("id,prompt\na,b\n", 'd.csv:2: key "prompt" is not known here.'),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_said_with_its_line(put: Put, text: str, message: str) -> None:
    put("d.csv", text)
    assert error_of(task_on("d.csv")).startswith(message)


def test_a_csv_line_that_is_not_utf_8_is_named(put: Put) -> None:
    put("d.csv", "").write_bytes(b"id,input\na,b\nb,\xe9\n")
    assert error_of(task_on("d.csv")) == "d.csv:3: this line is not UTF-8: save the file as UTF-8"


def test_a_long_cell_is_read(put: Put) -> None:
    put("d.csv", f"id,input\na,{'x' * 200_000}\n")
    assert len(only(task_on("d.csv")).input) == 200_000


def test_a_packed_csv_file_is_read_and_a_cut_one_is_an_error(put: Put) -> None:
    packed = gzip.compress(b"id,input\na,b\n")
    file = put("d.csv.gz", "")
    file.write_bytes(packed)
    assert only(task_on("d.csv.gz")) == Sample(id="a", input="b")
    file.write_bytes(packed[:-6])
    assert "the gzip data is damaged" in error_of(task_on("d.csv.gz"))


def test_a_format_nobody_reads_is_said_with_those_that_are(put: Put) -> None:
    put("d.json", "[]")
    with pytest.raises(InputError) as caught:
        list(iter_samples(task_on("d.json"), Path(), place=Place("suite.yaml", 3, 9)))
    assert str(caught.value).startswith('suite.yaml:3:9: data file "d.json" is in no known format; expected .jsonl, ')


def test_the_datasets_package_is_not_imported_for_json_lines_or_csv(put: Put) -> None:
    put("d.jsonl", ROW)
    put("d.csv", "id,input\na,b\n")
    code = """
import sys
from pathlib import Path
from evalkit.content.datasets import iter_samples
from evalkit.content.candidates import load_candidate
from evalkit.content.judges import load_judge
from evalkit.content.reports import load_report
from evalkit.content.suites import load_suite
from evalkit.core.suite import DataSource, ScorerSpec, Task
for file in ("d.jsonl", "d.csv"):
    task = Task(name="t", data=DataSource(file=file), scorers=(ScorerSpec(scorer="exact", name="exact"),))
    assert len(list(iter_samples(task, Path()))) == 1
print(sorted({"datasets", "pandas", "pyarrow", "scipy", "matplotlib"} & set(sys.modules)))
"""
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("file", "columns", "n"),
    [
        (
            "xstest/items.jsonl",
            {"id": "item_id", "input": "prompt", "target": "reference", "tags.kind": "category"},
            450,
        ),
        ("llmbar/items.jsonl", {"id": "item_id", "input": "prompt", "metadata.reference": "reference"}, 419),
        ("hanna/items.jsonl", {"id": "item_id", "input": "prompt", "target": "reference"}, 96),
        ("mlqe_pe/items.jsonl.gz", {"id": "item_id", "input": "prompt", "tags.split": "meta.split"}, None),
    ],
)
def test_recorded_items_are_read_by_a_map_of_columns(
    recorded_data: Path, file: str, columns: dict[str, str], n: int | None
) -> None:
    task = Task(
        name="t", data=DataSource(file=file, columns=columns), scorers=(ScorerSpec(scorer="exact", name="exact"),)
    )
    count = 0
    for _, sample in iter_samples(task, Path(), [recorded_data]):
        assert sample.language
        count += 1
    assert count == n or (n is None and count > 1000)


def test_a_question_in_many_languages_under_one_id_is_said_with_both_lines(recorded_data: Path) -> None:
    data = DataSource(
        file="multilingual/mgsm_items.jsonl.gz", columns={"id": "item_id", "input": "prompt", "target": "reference"}
    )
    task = Task(name="t", data=data, scorers=(ScorerSpec(scorer="exact", name="exact"),))
    with pytest.raises(
        InputError, match=r"mgsm_items.jsonl.gz:\d+: sample id \"mgsm-000\" is here twice: first in line 1"
    ):
        list(iter_samples(task, Path(), [recorded_data]))
