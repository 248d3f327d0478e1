"""Scores as a table, and tables as CSV that is safe to open. The one file here that imports pandas."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.core.cell import safe_cell
from evalkit.core.score import Score
from evalkit.store.disk import PRIVATE_FILE, replace_file

SCORE_COLUMNS = (
    "task", "sample_id", "attempt", "step", "scorer", "value", "label", "unit",
    "failure_blame", "failure_stage", "failure_kind", "failure_message", "reason", "scorer_digest",
)  # fmt: skip


def scores_frame(scores: Iterable[Score]) -> pd.DataFrame:
    """One row per score, columns SCORE_COLUMNS; what a score does not have is None (value: NaN)."""
    frame = pd.DataFrame([_row(score) for score in scores], columns=list(SCORE_COLUMNS), dtype=object)
    return frame.astype({"value": "float64", "attempt": "int64", "step": "int64"})


def rows_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows that need not have the same fields: a column for each field, in the order of its first occurrence."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=columns, dtype=object)


def _row(score: Score) -> tuple[Any, ...]:
    key, failure = score.key, score.failure
    failed = (failure.blame, failure.stage, failure.kind, failure.message) if failure else (None,) * 4
    head = (key.task, key.sample_id, key.attempt, key.step, score.scorer, score.value, score.label, score.unit)
    return (*head, *failed, score.reason, score.scorer_digest)


def write_csv(frame: pd.DataFrame, path: Path, *, mode: int = PRIVATE_FILE) -> None:
    """Write a table as UTF-8 CSV, whole or not at all; headings and texts are safe cells, missing is an empty cell."""
    safe = frame.rename(columns=lambda name: _writable(safe_cell(name)))
    for position, kind in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            safe.isetitem(position, [_writable(safe_cell(cell)) for cell in safe.iloc[:, position]])
    # RFC 4180's line end, and not "\n": with that one, a bare carriage return in a text would stand unquoted and
    # begin a row of its own, whose first cell nobody made safe.
    text = safe.to_csv(index=False, lineterminator="\r\n")
    replace_file(path, text.encode("utf-8"), mode=mode)


def _writable(cell: Any) -> Any:
    """Half a surrogate pair cannot be UTF-8; in a table for people its escape will do."""
    return cell.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(cell, str) else cell
