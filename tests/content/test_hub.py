"""Parquet files and hub datasets, through the `datasets` package. Importing it takes seconds: few tests, one file."""

import datetime
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from evalkit.content.datasets import iter_samples
from evalkit.core.errors import InputError
from evalkit.core.sample import Sample
from evalkit.core.suite import DataSource, ScorerSpec, Task
from tests.content.conftest import Put


def task_on(data: DataSource) -> Task:
    return Task(name="t", data=data, scorers=(ScorerSpec(scorer="exact", name="exact"),))


def test_rows_of_a_parquet_file_are_samples(put: Put) -> None:
    columns = {
        "qid": ["a", "b"],
        "input": ["None", "y"],
        "target": [["1", "2"], []],
        "language": ["na", None],
        "score": [1.5, float("nan")],
        "day": [datetime.date(2026, 11, 1), None],
        "price": [Decimal("1.10"), None],
        "info": [{"k": 1}, {"k": 2}],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), put("d.parquet", ""))
    rows = list(iter_samples(task_on(DataSource(file="d.parquet", columns={"id": "qid"})), Path()))
    metadata = {"score": 1.5, "day": "2026-11-01", "price": "1.10", "info": {"k": 1}}
    assert rows[0] == (1, Sample(id="a", input="None", target=("1", "2"), language="na", metadata=metadata))
    assert rows[1][1].metadata == {"score": None, "day": None, "price": None, "info": {"k": 2}}


def test_bytes_in_a_parquet_file_are_refused_with_row_and_column(put: Put) -> None:
    table = pyarrow.table({"id": ["a"], "input": ["x"], "picture": [b"\x00"]})
    pyarrow.parquet.write_table(table, put("d.parquet", ""))
    with pytest.raises(InputError, match=r'd\.parquet: row 1: column "picture" holds bytes'):
        list(iter_samples(task_on(DataSource(file="d.parquet")), Path()))


def test_a_file_that_is_no_parquet_is_an_error(put: Put) -> None:
    put("d.parquet", "hello")
    with pytest.raises(InputError, match=r"d\.parquet: the file cannot be read as parquet: "):
        list(iter_samples(task_on(DataSource(file="d.parquet")), Path()))


def test_a_hub_that_cannot_be_reached_is_one_sentence_with_the_place(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from evalkit.content.datasets import iter_samples
from evalkit.core.errors import InputError, Place
from evalkit.core.suite import DataSource, ScorerSpec, Task
data = DataSource(hub="nobody/nothing", revision="abc", split="test")
task = Task(name="t", data=data, scorers=(ScorerSpec(scorer="exact", name="exact"),))
try:
    list(iter_samples(task, Path(), place=Place("suite.yaml", 7, 11)))
except InputError as error:
    print(error)
"""
    repository = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(repository), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith('suite.yaml:7:11: hub dataset "nobody/nothing" cannot be read: ')
    assert done.stdout.rstrip().endswith("Check `hub:`, `config:`, `split:`, `revision:` and the network.")
    assert done.stdout.count("\n") == 1
