import csv
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.core.cell import safe_cell
from evalkit.report.gates import worst_first
from evalkit.report.tables import write_tables
from tests.report.changed_samples import HOSTILE
from tests.report.samples import comparison, small_comparison


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV as its reader sees it."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_headers_differ(tmp_path: Path) -> None:
    for path in write_tables(comparison(), tmp_path):
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream))
        assert len(header) == len(set(header)), path.name


def test_numbers_come_back_unrounded(tmp_path: Path) -> None:
    write_tables(comparison(), tmp_path)
    for row, decision in zip(rows(tmp_path / "gates.csv"), worst_first(comparison().decisions), strict=True):
        assert float(row["candidate"]) == decision.candidate.value
        assert int(row["n_pairs"]) == decision.n_pairs
        if decision.difference is None:
            assert row["difference"] == ""
        else:
            assert float(row["difference_low"]) == decision.difference.low
            assert float(row["difference"]) == decision.difference.value
    for row, metric in zip(rows(tmp_path / "metrics.csv"), comparison().metrics, strict=True):
        assert float(row["baseline_high"]) == metric.baseline.high
        assert row["slice.language"] == metric.slice.get("language", "")


def test_no_text_begins_as_a_formula(tmp_path: Path) -> None:
    names = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")
    texts = [comparison().changed[0].model_copy(update={"candidate_text": name, "metric": name}) for name in names]
    write_tables(comparison(changed=tuple(texts)), tmp_path)
    found = rows(tmp_path / "changed.csv")
    assert [row["candidate_text"] for row in found] == ["'" + name for name in names]
    assert [row["metric"] for row in found] == ["'" + name for name in names]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_any_answer_comes_back(tmp_path: Path, text: str) -> None:
    sample = small_comparison().changed[0].model_copy(update={"candidate_text": text, "prompt": "p"})
    write_tables(small_comparison(changed=(sample,)), tmp_path)
    (row,) = rows(tmp_path / "changed.csv")
    assert row["candidate_text"] == safe_cell(text)


def test_a_lone_surrogate_does_not_stop_the_table(tmp_path: Path) -> None:
    write_tables(comparison(), tmp_path)
    hostile = [row for row in rows(tmp_path / "changed.csv") if "evil" in row["key.sample_id"]]
    assert hostile[0]["prompt"] == HOSTILE.replace("\ud800", "\\ud800")
