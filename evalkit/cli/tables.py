"""What commands print: plain tables on stdout, so that they can be read, searched and piped."""

from collections.abc import Iterable, Sequence

from evalkit.cli.say import say
from evalkit.core.estimate import Estimate
from evalkit.core.manifest import partial_words
from evalkit.report.numbers import interval_text, slice_text, value_text
from evalkit.report.text import one_line
from evalkit.runner.expect import RunExpectation
from evalkit.runner.summarize import SummaryRow, summarize
from evalkit.runner.table import read_tables
from evalkit.store.rundir import RunDirectory

WIDEST_CELL = 100


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; control characters are written as their codes."""
    cells = [[one_line(cell, WIDEST_CELL) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_summary(directory: RunDirectory) -> None:
    """A run in a table: every metric, overall and per slice, and who failed."""
    manifest = directory.manifest
    rows = summarize(read_tables(directory))
    print_table(("metric", "slice", "value", "interval", "n", "missing"), [_summary_cells(row) for row in rows])
    counts = manifest.counts
    failures = ", ".join(
        f"{name.replace('_', ' ')} {counts[name]}"
        for name in sorted(counts)
        if name.startswith("failed_") and counts[name]
    )
    partial = f", partial ({partial_words(manifest)})" if manifest.partial else ""
    said = f"{manifest.status}{partial}, {counts.get('samples', 0)} samples" + (f", {failures}" if failures else "")
    if counts.get("from_cache"):
        said += f", {counts['from_cache']:,} of {counts['requests']:,} answers from the cache"
    say(f"\nrun {directory.path}: {said}")


def _summary_cells(row: SummaryRow) -> tuple[str, ...]:
    found: Estimate = row.estimate
    return (
        row.metric,
        slice_text(row.slice),
        value_text(found),
        interval_text(found),
        str(found.n),
        str(found.n_missing or ""),
    )


def print_dry_run(expected: RunExpectation) -> None:
    """What a run would ask, cost and could find, and what is known of its judges."""
    say(f"candidate {one_line(expected.candidate)}\n")
    print_table(
        ("task", "samples", "requests", "judge requests", "prompt tokens (about)", "output tokens (at most)"),
        [
            (
                task.task,
                f"{task.samples:,}",
                f"{task.requests:,}",
                f"{task.judge_requests:,}",
                f"{task.prompt_tokens:,}",
                f"{task.most_output_tokens:,}",
            )
            for task in expected.tasks
        ],
    )
    cost = (
        "unknown: the candidate has no price per token"
        if expected.most_cost_usd is None
        else f"about USD {expected.most_cost_usd:.3g} at most"
    )
    say(f"\ncost: {cost}, without what judges cost\n")
    for judge in expected.judges:
        say(f"judge {one_line(judge.judge)} ({one_line(judge.model)}): {one_line(judge.standing, 300)}")
    say("\nSmallest drop of a share that could be told from none (one-sided 5 %, power .8, a tenth differing):")
    print_table(
        ("metric", "slice", "n", "clusters", "drop"),
        [
            (
                found.metric,
                slice_text(found.slice),
                str(found.n),
                str(found.n_clusters),
                f"{100 * found.smallest_detectable_drop:.1f} points",
            )
            for found in expected.metrics
        ],
    )
    say("\nNothing was asked.\n")
