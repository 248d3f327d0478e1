"""The gates as the page lists them: worst first, and people's own labels right beneath the judge's row.

A row keeps its Decision; the template writes the numbers. The small interval bar of a row is given in per cent of its
width, turned so that right is better; rows of one unit share one scale, so that bars can be compared by eye.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.core.comparison import Comparison, MetricRow
from evalkit.core.estimate import Estimate
from evalkit.core.gate import Decision
from evalkit.report.numbers import slice_text

OUTCOME_ORDER = ("regressed", "invalid", "inconclusive", "undecided", "pass")
OUTCOME_WORDS = {
    "regressed": "regressed",
    "invalid": "invalid",
    "inconclusive": "inconclusive",
    "undecided": "not decided",
    "pass": "pass",
}
MOST_OPEN_ROWS = 12
"""Passed and undecided rows shown before they are folded; what needs attention is never folded."""


@dataclass(frozen=True)
class Bar:
    """An interval in per cent of the bar's width; right is better."""

    low: float
    high: float
    at: float
    zero: float
    margin: float | None


@dataclass(frozen=True)
class BesideRow:
    """The same comparison by people's labels of the same answers."""

    metric: str
    row: MetricRow | Decision | None
    """None = there are no labels in this slice."""
    bar: Bar | None


@dataclass(frozen=True)
class GateRow:
    """One decision, and what stands beneath it."""

    decision: Decision
    word: str
    where: str
    bar: Bar | None
    beside: tuple[BesideRow, ...]


@dataclass(frozen=True)
class GateTable:
    """All decisions: those to look at, and the rest."""

    open_rows: tuple[GateRow, ...]
    folded_rows: tuple[GateRow, ...]
    counts: tuple[tuple[str, str, int], ...]
    """(outcome, its word, how many), worst first."""


def gate_table(comparison: Comparison) -> GateTable:
    """Every decision as a row, worst first."""
    ordered = worst_first(comparison.decisions)
    scales = _scales(comparison)
    rows = [_row(comparison, decision, scales) for decision in ordered]
    attention = [row for row in rows if row.decision.outcome not in ("pass", "undecided")]
    calm = [row for row in rows if row.decision.outcome in ("pass", "undecided")]
    if len(calm) > MOST_OPEN_ROWS:
        kept = [row for row in calm if row.decision.required]
        attention, calm = attention + kept, [row for row in calm if not row.decision.required]
    else:
        attention, calm = attention + calm, []
    return GateTable(tuple(attention), tuple(calm), _counts(ordered))


def worst_first(decisions: Iterable[Decision]) -> list[Decision]:
    """Decisions in reading order: what the verdict rests on first, advisory ones after the blocking of their sort."""
    decisions = list(decisions)
    metrics = list(dict.fromkeys(decision.metric for decision in decisions))

    def rank(decision: Decision) -> tuple[bool, bool, int, float, int, bool, str]:
        regressed = decision.outcome == "regressed" and decision.p_adjusted is not None
        return (
            decision.outcome in ("pass", "undecided"),
            decision.severity == "advisory",
            OUTCOME_ORDER.index(decision.outcome),
            decision.p_adjusted or 0.0 if regressed else 1.0,
            metrics.index(decision.metric),
            bool(decision.slice),
            slice_text(decision.slice),
        )

    return sorted(decisions, key=rank)


def oriented(difference: Estimate, better: Literal["higher", "lower"]) -> tuple[float, float, float] | None:
    """(low, value, high) of a difference turned so that larger is better; None when there is no value.

    Without an interval low and high are the value itself.

    >>> oriented(Estimate(value=3.0, low=1.0, high=5.0, n=9, unit="tokens"), "lower")
    (-5.0, -3.0, -1.0)
    """
    if difference.value is None:
        return None
    low = difference.value if difference.low is None else difference.low
    high = difference.value if difference.high is None else difference.high
    return (low, difference.value, high) if better == "higher" else (-high, -difference.value, -low)


def beside_row(comparison: Comparison, metric: str, decision: Decision) -> MetricRow | Decision | None:
    """People's labels of a metric in the decision's slice: from the metrics, or from their own decision."""
    found: Sequence[MetricRow | Decision] = (*comparison.metrics, *comparison.decisions)
    return next((row for row in found if row.metric == metric and row.slice == decision.slice), None)


def _row(comparison: Comparison, decision: Decision, scales: dict[str, tuple[float, float]]) -> GateRow:
    beside = []
    for metric in decision.beside:
        row = beside_row(comparison, metric, decision)
        bar = None if row is None or row.difference is None else _bar(row.difference, row.better, None, scales)
        beside.append(BesideRow(metric, row, bar))
    bar = _bar(decision.difference, decision.better, decision.margin, scales)
    return GateRow(decision, OUTCOME_WORDS[decision.outcome], slice_text(decision.slice), bar, tuple(beside))


def _scales(comparison: Comparison) -> dict[str, tuple[float, float]]:
    """Unit -> the ends of its scale: of the required slices, so that a slice of three samples flattens nothing."""
    ends: dict[str, list[float]] = {}
    required = [decision for decision in comparison.decisions if decision.required] or list(comparison.decisions)
    for decision in required:
        turned = oriented(decision.difference, decision.better)
        if turned is not None:
            ends.setdefault(decision.difference.unit, []).extend(
                [turned[0], turned[2], -2 * decision.margin, decision.margin]
            )
        for metric in decision.beside:
            row = beside_row(comparison, metric, decision)
            beside = row.difference and oriented(row.difference, row.better) if row is not None else None
            if row is not None and row.difference is not None and beside:
                ends.setdefault(row.difference.unit, []).extend([beside[0], beside[2]])
    return {unit: (min(0.0, *values), max(0.0, *values)) for unit, values in ends.items()}


def _bar(
    difference: Estimate,
    better: Literal["higher", "lower"],
    margin: float | None,
    scales: dict[str, tuple[float, float]],
) -> Bar | None:
    turned = oriented(difference, better)
    start, end = scales.get(difference.unit, (0.0, 0.0))
    if turned is None or end <= start:
        return None

    def place(value: float) -> float:
        return round(min(max(4 + 92 * (value - start) / (end - start), 0.0), 100.0), 2)

    low, value, high = turned
    return Bar(place(low), place(high), place(value), place(0.0), None if margin is None else place(-margin))


def _counts(decisions: Iterable[Decision]) -> tuple[tuple[str, str, int], ...]:
    outcomes = [decision.outcome for decision in decisions]
    return tuple((name, OUTCOME_WORDS[name], outcomes.count(name)) for name in OUTCOME_ORDER if name in outcomes)
