"""Write again what is derived: a comparison's pages from its result, a run's summary and scores.csv from its
records.
"""

from pathlib import Path

from evalkit.comparison.compare import Arm, pair_all
from evalkit.comparison.transitions import transitions
from evalkit.core.comparison import RESULT_SCHEMA, Comparison
from evalkit.core.errors import EvalkitError
from evalkit.core.report_spec import ReportSpec
from evalkit.core.score import Score
from evalkit.report.build import write_report
from evalkit.runner.changed import add_texts
from evalkit.runner.compare import RESULT
from evalkit.runner.opened import open_run
from evalkit.runner.plan import check_plan
from evalkit.runner.summarize import summarize, summary_document
from evalkit.runner.table import current_digests, read_tables
from evalkit.runner.templates import template_folder
from evalkit.store.disk import write_document
from evalkit.store.frames import scores_frame, write_csv
from evalkit.store.index import read_last
from evalkit.store.keys import score_key_of
from evalkit.store.rundir import RunDirectory
from evalkit.store.schema import read_noun


def read_result(folder: Path) -> Comparison:
    """The comparison in a folder. Raises InputError when there is none, or one that a newer evalkit wrote."""
    return read_noun(folder / RESULT, Comparison, RESULT_SCHEMA, "Compare again.")


def rewrite_comparison(folder: Path, runs: Path, numbers_only: bool) -> tuple[Path, str]:
    """Write a comparison's report again; the HTML file's path, and why it is without people's text ("" = it is not).

    Prompts and answers are read from the two runs; where those are not there any more, the page holds numbers only.
    """
    comparison = read_result(folder)
    why = "as asked" if numbers_only else ""
    try:
        baseline, candidate = (open_run(arm.run_id, runs) for arm in (comparison.baseline, comparison.candidate))
        comparison = _with_changed(comparison, baseline, candidate, texts=not numbers_only)
    except EvalkitError as error:
        why = str(error)
    path = write_report(comparison, folder, template_folder=template_folder(), numbers_only=bool(why))
    return path, why


def rewrite_run(directory: RunDirectory) -> Path:
    """Write a run's summary.json and scores.csv again; the path of the CSV."""
    check_plan(directory)
    manifest = directory.manifest
    write_document(directory.summary, summary_document(manifest.run_id, summarize(read_tables(directory))))
    wanted = {task.name: current_digests(manifest, task) for task in manifest.suite.tasks}
    scores = (score for _, score in read_last(directory.scores, Score, score_key_of))
    current = (score for score in scores if wanted[score.key.task].get(score.scorer) == score.scorer_digest)
    path = directory.path / "scores.csv"
    write_csv(scores_frame(current), path)
    return path


def _with_changed(comparison: Comparison, baseline: RunDirectory, candidate: RunDirectory, texts: bool) -> Comparison:
    arms = [Arm(run.manifest, read_tables(run)) for run in (baseline, candidate)]
    paired = [metric for metric in pair_all(arms[0], arms[1]).values() if metric.unit == "share"]
    most_shown = ReportSpec(name="again").max_changed
    changed = [sample for metric in paired for sample in transitions(metric, most_shown)[1]]
    return add_texts(comparison, changed, baseline, candidate, texts)
