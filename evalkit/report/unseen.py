"""What the comparison could not have seen: the smallest drops it would have found, open slices, what is missing."""

from dataclasses import dataclass

from evalkit.core.comparison import Comparison, RunSummary
from evalkit.core.estimate import Estimate
from evalkit.core.gate import Decision
from evalkit.report.gates import worst_first
from evalkit.report.numbers import amount_text


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
    """Decisions whose smallest detectable drop is larger than their margin."""
    seeing: tuple[Decision, ...]
    """The other decisions that have one."""
    open_slices: tuple[Decision, ...]
    """Slices that were not decided."""
    missing: tuple[Missing, ...]


def unseen(comparison: Comparison) -> Unseen:
    """The section's figures, worst first."""
    decisions = worst_first(comparison.decisions)
    sized = [decision for decision in decisions if decision.smallest_detectable_drop is not None]
    blind = tuple(decision for decision in sized if (decision.smallest_detectable_drop or 0.0) > decision.margin)
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
        return "No smallest detectable drop could be computed for these runs."
    overall = next((decision for decision in blind if not decision.slice), None)
    words = f"{len(blind)} of {len(sized)} comparisons could have missed a drop larger than their margin (power 80 %)."
    if overall is not None:
        unit = overall.candidate.unit
        drop = amount_text(overall.smallest_detectable_drop, unit)
        words += f" {overall.metric} overall would have shown a drop of {drop}, not one as small as its margin of "
        words += f"{amount_text(overall.margin, unit)}."
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
