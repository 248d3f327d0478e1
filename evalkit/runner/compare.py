"""Compare two run directories: read their tables, find the judges' cards, decide, show the changed samples' text,
write.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evalkit.comparison.comparable import check_comparable
from evalkit.comparison.compare import Arm, CompareSettings, compare_runs, invalid_comparison
from evalkit.comparison.verdict import OnInconclusive
from evalkit.content.reports import LoadedReport, check_gates, load_report
from evalkit.core.comparison import Comparison
from evalkit.core.errors import NoBaseline, RunInvalid
from evalkit.report.build import write_report
from evalkit.runner.cards import cards_of
from evalkit.runner.changed import add_texts
from evalkit.runner.finished import check_unchanged
from evalkit.runner.plan import check_plan
from evalkit.runner.table import read_tables
from evalkit.runner.templates import template_folder
from evalkit.store.disk import make_private_folder, write_document
from evalkit.store.rundir import RunDirectory, quoted_name

RESULT = "result.json"


@dataclass(frozen=True)
class CompareOptions:
    """What a comparison depends on beside the two runs."""

    report: str | None = None
    """Name or path of the report; None = the one the suite names."""
    cards: tuple[Path, ...] = ()
    """Files and folders searched for cards before the usual places."""
    out: Path | None = None
    """Folder to write into; None = comparisons/BASELINE__CANDIDATE."""
    on_inconclusive: OnInconclusive = "default"
    numbers_only: bool = False
    """No prompt, answer or reason in anything written."""
    command: str = ""
    now: datetime | None = None
    """Tests fix it; None = the clock."""


@dataclass(frozen=True)
class Compared:
    """A comparison and where it was written."""

    comparison: Comparison
    folder: Path


def compare_directories(baseline: RunDirectory, candidate: RunDirectory, options: CompareOptions) -> Compared:
    """Compare and write result.json and the report. Raises NoBaseline, RunInvalid or InputError when that cannot be
    done.
    """
    folder = options.out or Path("comparisons") / quoted_name(
        f"{baseline.manifest.run_id}__{candidate.manifest.run_id}"
    )
    make_private_folder(folder)
    # An older result must not stand there while this one is not made.
    (folder / RESULT).unlink(missing_ok=True)
    try:
        check_comparable(baseline.manifest, candidate.manifest)
        comparison = _compare(baseline, candidate, options)
    except (NoBaseline, RunInvalid) as error:
        now = options.now or datetime.now(UTC)
        _write(invalid_comparison(baseline.manifest, candidate.manifest, error, now, options.command), folder, options)
        raise
    _write(comparison, folder, options)
    return Compared(comparison, folder)


def _write(comparison: Comparison, folder: Path, options: CompareOptions) -> None:
    write_document(folder / RESULT, comparison.model_dump(mode="json", by_alias=True, exclude={"changed"}))
    write_report(comparison, folder, template_folder=template_folder(), numbers_only=options.numbers_only)


def _compare(baseline: RunDirectory, candidate: RunDirectory, options: CompareOptions) -> Comparison:
    suite = candidate.manifest.suite
    loaded = load_report(options.report or suite.report)
    check_gates(loaded, suite)
    columns = _gate_columns(loaded)
    for run in (baseline, candidate):
        check_plan(run)
        check_unchanged(run)
    settings = CompareSettings(
        report=loaded.spec,
        cards=cards_of(candidate.manifest.judges, options.cards),
        now=options.now or datetime.now(UTC),
        on_inconclusive=options.on_inconclusive,
        gate_places={index: loaded.gate_place(index, "metric") for index in range(len(loaded.spec.gates))},
        command=options.command,
    )
    arms = [Arm(run.manifest, read_tables(run, columns)) for run in (baseline, candidate)]
    comparison, changed = compare_runs(arms[0], arms[1], settings)
    return add_texts(comparison, changed, baseline, candidate, texts=not options.numbers_only)


def _gate_columns(loaded: LoadedReport) -> tuple[str, ...]:
    named = [column for gate in loaded.spec.gates for column in gate.by]
    named += [column for gate in loaded.spec.gates for wanted in gate.required for column in wanted]
    return tuple(dict.fromkeys(named))
