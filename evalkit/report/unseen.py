"""What the comparison could not have seen: the smallest drops it would have found, open slices, what is missing."""

from dataclasses import dataclass

from evalkit.core.comparison import Comparison, RunSummary
from evalkit.core.estimate import Estimate
from evalkit.core.gate import Decision
from evalkit.report.gates import worst_first


@dataclass(frozen=True)
class Missing:
    """Scores that should have counted and are not there."""

    metric: str
    baseline: int
    candidate: int
    n: int


@dataclass(frozen=True)
class Unseen:
    """The section."""

    sentence: str
    blind: tuple[Decision, ...]
    """Decisions that only a drop of more than twice their margin would have turned to regressed; not those it did."""
    seeing: tuple[Decision, ...]
    """The other decisions that have a smallest detectable drop."""
    open_slices: tuple[Decision, ...]
    """Slices that were not decided."""
    missing: tuple[Missing, ...]


def unseen(comparison: Comparison) -> Unseen:
    """The section's figures, worst first."""
    decisions = worst_first(comparison.decisions)
    sized = [
        decision
        for decision in decisions
        if decision.smallest_detectable_drop is not None and decision.outcome != "regressed"
    ]
    blind = tuple(decision for decision in sized if (decision.smallest_detectable_drop or 0.0) > 2 * decision.margin)
    seeing = tuple(decision for decision in sized if decision not in blind)
    open_slices = tuple(decision for decision in decisions if decision.outcome in ("undecided", "inconclusive"))
    return Unseen(_sentence(sized, blind, open_slices), blind, seeing, open_slices, tuple(_missing(comparison)))


def failures(run: RunSummary) -> list[tuple[str, int]]:
    """(blame, how many) of a run's failures; none that are zero.

    >>> from datetime import datetime, timezone
    >>> day = datetime(2026, 11, 20, tzinfo=timezone.utc)
    >>> counts = {"samples": 9, "failed_judge": 2, "failed_system": 0}
    >>> failures(RunSummary(run_id="r", name="a", model="", engine="echo", started_at=day, counts=counts))
    [('judge', 2)]
    """
    return [(name.removeprefix("failed_"), n) for name, n in run.counts.items() if name.startswith("failed_") and n]


def _sentence(sized: list[Decision], blind: tuple[Decision, ...], open_slices: tuple[Decision, ...]) -> str:
    if not sized:
        return "No smallest detectable drop could be computed here."
    words = (
        f"In {len(blind)} of {len(sized)} comparisons only a drop of more than twice the margin would have been called "
    )
    words += "regressed (power 80 %)."
    if open_slices:
        words += f" {len(open_slices)} {'is' if len(open_slices) == 1 else 'are'} not decided."
    return words


def _missing(comparison: Comparison) -> list[Missing]:
    """Missing scores by metric, overall: of the metrics, and of gated metrics beyond them."""
    found: dict[str, Missing] = {}
    for row in comparison.metrics:
        if not row.slice:
            found.setdefault(row.metric, _counted(row.metric, row.baseline, row.candidate))
    for decision in comparison.decisions:
        if not decision.slice:
            found.setdefault(decision.metric, _counted(decision.metric, decision.baseline, decision.candidate))
    return [missing for missing in found.values() if missing.baseline or missing.candidate]


def _counted(metric: str, baseline: Estimate | None, candidate: Estimate) -> Missing:
    n_missing = 0 if baseline is None else baseline.n_missing
    return Missing(metric, n_missing, candidate.n_missing, candidate.n + candidate.n_missing)
