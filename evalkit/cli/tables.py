"""What commands print: plain tables on stdout, so that they can be read, searched and piped."""

from collections.abc import Iterable, Sequence

from evalkit.cli.say import say
from evalkit.core.estimate import Estimate
from evalkit.core.manifest import partial_words
from evalkit.report.numbers import interval_text, slice_text, value_text
from evalkit.report.text import one_line
from evalkit.runner.summarize import SummaryRow, read_summary
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
    rows = read_summary(directory)
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
