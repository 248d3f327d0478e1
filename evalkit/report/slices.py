"""Slices against tasks: every difference in one table, and cost, tokens and latency in another.

A cell is coloured by how far the candidate moved only where the move is decided; it is hatched where fewer than 30
samples stand behind it or the interval holds zero, so that nobody reads noise as a finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.core.comparison import Comparison, MetricRow
from evalkit.core.estimate import Slice
from evalkit.report.gates import oriented
from evalkit.report.numbers import Direction, direction, slice_text, value_text

FEWEST_SAMPLES = 30
"""Below this a cell is hatched whatever its interval says: with so few, intervals from the normal hold too seldom."""
_FULL_COLOUR_SHARE = 0.2
"""A share that moved by 20 points or more has the full colour, so that colours mean the same on every page."""
_COST_UNITS = ("tokens", "usd", "s")


@dataclass(frozen=True)
class Cell:
    """One metric in one slice."""

    row: MetricRow
    direction: Direction
    few: bool
    heat: int
    """Depth of the colour in per cent; 0 when hatched."""

    @property
    def hatched(self) -> bool:
        """Whether the cell tells nothing for sure."""
        return self.few or self.direction == "not decided"


@dataclass(frozen=True)
class SliceLine:
    """One slice; a cell per metric, None where the metric was not sliced so."""

    where: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class SliceTable:
    """Metrics across, slices down, in groups of the same columns."""

    metrics: tuple[str, ...]
    groups: tuple[tuple[str, tuple[SliceLine, ...]], ...]


def is_cost(row: MetricRow) -> bool:
    """Whether a metric belongs to cost, tokens and latency rather than to quality."""
    return row.kind in ("cost", "latency") or row.candidate.unit in _COST_UNITS


def slice_table(comparison: Comparison) -> SliceTable:
    """Every quality and safety metric in every slice."""
    rows = [row for row in comparison.metrics if not is_cost(row)]
    metrics = tuple(dict.fromkeys(row.metric for row in rows))
    cells = {(row.metric, slice_text(row.slice)): _cell(row, rows) for row in rows}
    groups: dict[str, dict[str, None]] = {}
    for row in sorted(rows, key=lambda row: (len(row.slice), *row.slice.items())):
        groups.setdefault(_columns(row.slice), {})[slice_text(row.slice)] = None
    lines = {
        columns: tuple(SliceLine(where, tuple(cells.get((metric, where)) for metric in metrics)) for where in slices)
        for columns, slices in groups.items()
    }
    return SliceTable(metrics, tuple(lines.items()))


def cost_rows(comparison: Comparison) -> list[MetricRow]:
    """Cost, token and latency metrics, the overall of each before its slices."""
    rows = [row for row in comparison.metrics if is_cost(row)]
    metrics = list(dict.fromkeys(row.metric for row in rows))
    return sorted(rows, key=lambda row: (metrics.index(row.metric), bool(row.slice), slice_text(row.slice)))


def relative_change(row: MetricRow) -> str:
    """The difference in per cent of the baseline; empty where the baseline is 0 or unknown."""
    base, change = row.baseline.value, row.difference.value
    if not base or change is None:
        return ""
    return f"{change / abs(base):+.1%}".replace("-", "\N{MINUS SIGN}").replace("%", " %")


def cost_words(comparison: Comparison) -> str:
    """What the candidate costs against the baseline, in a few words for the first screen."""
    rows = [row for row in cost_rows(comparison) if row.candidate.unit == "usd" and not row.slice]
    if not rows:
        return _token_words(comparison)
    arrow = "\N{RIGHTWARDS ARROW}"
    words = [f"{row.metric} {value_text(row.baseline)} {arrow} {value_text(row.candidate)}" for row in rows[:2]]
    return ", ".join(words) + (f" and {len(rows) - 2} more" if len(rows) > 2 else "")


def _token_words(comparison: Comparison) -> str:
    """Without a cost metric: the tokens that the engines counted, if they did."""
    before, after = (arm.counts.get("output_tokens") for arm in (comparison.baseline, comparison.candidate))
    if before is None or after is None:
        return "cost not measured"
    return f"{before:,} \N{RIGHTWARDS ARROW} {after:,} output tokens in all; no cost metric"


def _cell(row: MetricRow, rows: Sequence[MetricRow]) -> Cell:
    word, few = direction(row.difference, row.better), row.difference.n < FEWEST_SAMPLES
    turned = oriented(row.difference, row.better)
    if turned is None or few or word == "not decided":
        return Cell(row, word, few, 0)
    full = _FULL_COLOUR_SHARE if row.difference.unit == "share" else _largest(row.metric, rows)
    return Cell(row, word, few, round(15 + 85 * min(1.0, abs(turned[1]) / full)))


def _largest(metric: str, rows: Sequence[MetricRow]) -> float:
    return max(abs(row.difference.value or 0.0) for row in rows if row.metric == metric) or 1.0


def _columns(wanted: Slice) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(wanted) or "overall"
