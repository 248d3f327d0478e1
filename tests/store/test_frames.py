import csv
import io
import stat
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings

from evalkit.core.cell import safe_cell
from evalkit.core.failure import Failure
from evalkit.core.request import Key
from evalkit.core.score import Score
from evalkit.store.frames import SCORE_COLUMNS, scores_frame, write_csv
from tests.store.strategies import texts

KEY = Key(task="t", sample_id="1", attempt=2)
UNREADABLE = Failure(blame="judge", stage="read", kind="no_verdict", message="no last line")
SCORES = (
    Score(key=KEY, scorer="exact", scorer_digest="d", value=-0.5, unit="share"),
    Score(key=KEY, scorer="judge:refusal", scorer_digest="d", label="none", reason="=HYPERLINK(1)"),
    Score(key=KEY, scorer="judge:refusal", scorer_digest="d", failure=UNREADABLE),
)


def test_a_failure_is_a_missing_value_with_its_blame_and_never_a_zero() -> None:
    frame = scores_frame(SCORES)
    assert tuple(frame.columns) == SCORE_COLUMNS
    assert frame["value"].isna().tolist() == [False, True, True]
    assert frame["failure_blame"].tolist() == [None, None, "judge"]
    assert frame["attempt"].tolist() == [2, 2, 2]


def test_no_scores_are_a_table_without_rows(tmp_path: Path) -> None:
    write_csv(scores_frame(()), tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_bytes().decode() == ",".join(SCORE_COLUMNS) + "\r\n"


def test_a_table_is_written_as_safe_cells_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    write_csv(scores_frame(SCORES), path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [row["value"] for row in rows] == ["-0.5", "", ""]
    assert rows[1]["reason"] == "'=HYPERLINK(1)"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
def test_a_text_that_looks_like_a_formula_is_quoted_in_cells_and_headings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.csv"
    write_csv(pd.DataFrame({text: [text, "None", None, "na"]}), path)
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [[f"'{text}"], [f"'{text}"], ["None"], [""], ["na"]]


@settings(deadline=None)  # it writes to the disk
@given(texts)
def test_any_text_can_be_written_and_none_begins_a_formula(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    write_csv(pd.DataFrame({"n": [1], "text": pd.Series([text], dtype=object)}), path)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert [len(row) for row in rows] == [2, 2], "whatever stands in a text, it stays in its cell"
    assert not str(safe_cell(text)).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
