"""Which rows the forest plots show, with their captions and their tables."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evalkit.core.card import CardEstimate, JudgeCard
from evalkit.core.comparison import Comparison, MetricRow
from evalkit.core.estimate import Estimate
from evalkit.core.gate import Decision
from evalkit.report.agreement import among_humans, between, main_statistic, slices_of, statistic_words
from evalkit.report.figures import ForestRow, Tone, forest
from evalkit.report.gates import beside_row, oriented, worst_first
from evalkit.report.numbers import count_text, difference_text, direction, interval_text, slice_text, value_text

MOST_ROWS = 60
"""Rows in one figure; more cannot be read, and the table beneath has them all."""

_AXIS = {
    "share": "points",
    "usd": "US dollars",
    "tokens": "tokens",
    "s": "seconds",
    "": "in the metric\N{RIGHT SINGLE QUOTATION MARK}s own unit",
}
_SEED = re.compile(r",? seed [\d.]+")


@dataclass(frozen=True)
class Plot:
    """A figure with its caption and the table that says the same."""

    unit: str
    """In words."""
    svg: Markup
    caption: str
    header: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]


def difference_plots(comparison: Comparison) -> tuple[Plot, ...]:
    """One figure of gated differences per unit; of all metrics overall where nothing was gated."""
    rows: list[Decision | MetricRow] = [row for row in worst_first(comparison.decisions) if row.difference is not None]
    if not rows:
        rows = [row for row in comparison.metrics if not row.slice]
    units = dict.fromkeys(row.difference.unit for row in rows if row.difference is not None)
    return tuple(
        _difference_plot(comparison, f"differences-{number}", unit, rows) for number, unit in enumerate(units, 1)
    )


def _difference_plot(comparison: Comparison, name: str, unit: str, rows: Sequence[Decision | MetricRow]) -> Plot:
    mine = [row for row in rows if row.difference is not None and row.difference.unit == unit]
    factor = 100.0 if unit == "share" else 1.0
    drawn: list[ForestRow] = []
    table: list[tuple[str, ...]] = []
    for metric in dict.fromkeys(row.metric for row in mine):
        drawn.append(ForestRow(label=metric, value=None, low=None, high=None, heading=True))
        for row in sorted((row for row in mine if row.metric == metric), key=lambda row: bool(row.slice)):
            margin = row.margin if isinstance(row, Decision) else None
            drawn.append(_difference_row(row, slice_text(row.slice), factor, margin))
            table.append(_table_line(row))
            for beside in _beside(comparison, row):
                drawn.append(_difference_row(beside, f"people: {beside.metric}", factor, margin, hollow=True))
                table.append(_table_line(beside))
    left_out = len(drawn) - MOST_ROWS
    drawn = drawn[:MOST_ROWS]
    level = max((row.difference.level for row in mine if row.difference is not None), default=0.95)
    people = "Hollow diamonds: people\N{RIGHT SINGLE QUOTATION MARK}s labels of the same answers. "
    hollow = people if any(row.hollow for row in drawn) else ""
    caption = (
        f"Candidate \N{MINUS SIGN} baseline on the same samples ({_AXIS.get(unit, unit)}), turned so that right is "
        "better; "
        f"{level:.0%} intervals. Solid line: no difference. Dashed line: the margin, the loss a gate accepts. "
        f"{hollow}"
        "n, at the right, counts pairs. "
        f"Method: {_methods([row.difference for row in mine if row.difference is not None])}."
    )
    if left_out > 0:
        caption += f" {left_out} further rows stand in the table alone."
    svg = forest(
        name,
        drawn,
        title=f"Differences between {comparison.candidate.name} and {comparison.baseline.name}",
        description=f"{len(table)} differences with their intervals; the table below the figure says the same.",
        axis=f"candidate \N{MINUS SIGN} baseline, {_AXIS.get(unit, unit)}",
        ends=("\N{LEFTWARDS ARROW} worse", "better \N{RIGHTWARDS ARROW}"),
    )
    return Plot(
        _AXIS.get(unit, unit),
        svg,
        caption,
        ("metric", "slice", "difference", "interval", "reads as", "n pairs", "method"),
        tuple(table),
    )


def _beside(comparison: Comparison, row: Decision | MetricRow) -> list[MetricRow | Decision]:
    if not isinstance(row, Decision):
        return []
    found = [beside_row(comparison, metric, row) for metric in row.beside]
    return [beside for beside in found if beside is not None and beside.difference is not None]


def _difference_row(
    row: Decision | MetricRow, label: str, factor: float, margin: float | None, *, hollow: bool = False
) -> ForestRow:
    difference = row.difference
    turned = oriented(difference, row.better) if difference is not None else None
    if difference is None or turned is None:
        return ForestRow(
            label=label, value=None, low=None, high=None, note="no value", margin=margin and -margin * factor
        )
    low, value, high = turned
    word = direction(difference, row.better)
    tone: Tone = "undecided" if word == "not decided" else word
    has_interval = difference.low is not None and difference.high is not None
    return ForestRow(
        label=label,
        value=value * factor,
        low=low * factor if has_interval else None,
        high=high * factor if has_interval else None,
        tone=tone,
        hollow=hollow,
        margin=None if margin is None else -margin * factor,
        note=f"n = {difference.n:,}",
    )


def _table_line(row: Decision | MetricRow) -> tuple[str, ...]:
    difference = row.difference
    return (
        row.metric,
        slice_text(row.slice),
        difference_text(difference),
        interval_text(difference) or (difference.reason or difference.method),
        direction(difference, row.better),
        count_text(difference.n, difference.n_clusters),
        difference.method,
    )


def _methods(estimates: Iterable[Estimate]) -> str:
    """The methods in words, up to three; each estimate's seed stands in the table and in the CSVs."""
    found = dict.fromkeys(_SEED.sub("", estimate.method) for estimate in estimates if estimate.method)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return "; ".join(list(found)[:3]) + more or "not said"


def agreement_plot(card: JudgeCard) -> Plot | None:
    """The card's main statistic per slice, judge with humans and humans among themselves; None with nothing to draw."""
    statistic = main_statistic(card.scale.kind, card.estimates)
    if statistic is None:
        return None
    # A column that is only shown may hold one label in each slice, where agreement beyond chance says nothing.
    only_shown = set(card.spec.get("show_by", ()))
    mine = [found for found in card.estimates if found.statistic == statistic and not only_shown & found.slice.keys()]
    drawn: list[ForestRow] = []
    for wanted in slices_of(mine):
        drawn.append(ForestRow(label=slice_text(wanted), value=None, low=None, high=None, heading=True))
        found = [estimate for estimate in mine if estimate.slice == wanted]
        drawn += [_agreement_row(estimate) for estimate in sorted(found, key=lambda found: among_humans(found))]
    words = statistic_words(statistic)
    whose = (
        "labels by construction"
        if card.labels.kind == "constructed"
        else "people\N{RIGHT SINGLE QUOTATION MARK}s labels"
    )
    filled = "" if card.judge is None else f"Filled: the judge with {whose}. "
    hollow = "Hollow diamonds: people among themselves. " if any(row.hollow for row in drawn) else ""
    caption = (
        f"{words[0].upper()}{words[1:]} per slice. {filled}{hollow}"
        f"{mine[0].level:.0%} intervals; n, at the right, counts samples. Method: {_methods(mine)}."
    )
    left_out = len(drawn) - MOST_ROWS
    if left_out > 0:
        caption += f" {left_out} further rows stand in the table alone."
    svg = forest(
        "agreement",
        drawn[:MOST_ROWS],
        title=f"{words} per slice",
        description=f"{len(mine)} estimates with their intervals; the table below the figure says the same.",
        axis=words,
        zero=None,
    )
    header = ("slice", "between", words, "interval", "n", "method")
    return Plot(words, svg, caption, header, tuple(_agreement_line(estimate) for estimate in mine))


def _agreement_row(estimate: CardEstimate) -> ForestRow:
    human = among_humans(estimate)
    note = f"n = {estimate.n:,}" if estimate.value is not None else "undefined"
    tone: Tone = "undecided" if human else "judge"
    return ForestRow(between(estimate), estimate.value, estimate.low, estimate.high, tone, hollow=human, note=note)


def _agreement_line(estimate: CardEstimate) -> tuple[str, ...]:
    interval = interval_text(estimate) or estimate.reason or ""
    n = count_text(estimate.n, estimate.n_clusters)
    return (slice_text(estimate.slice), between(estimate), value_text(estimate), interval, n, estimate.method)
