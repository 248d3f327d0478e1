"""Gates that hold one run's number against a bound: `at_least` and `at_most`.

    pass          the one-sided limit of the candidate's value at 1 - alpha lies beyond the bound
    regressed     the value is on the wrong side of the bound, Holm-adjusted p below alpha
    inconclusive  neither, in the overall or a required slice

`at_most` is held as `at_least` of the values turned round: 1 - x of a share, -x otherwise.
"""

from dataclasses import dataclass

from evalkit.comparison.decide import Outcome, Standing, StandingOf, gate_id, gate_slices
from evalkit.comparison.pair import (
    PairedMetric,
    SlicePairs,
    arm_estimate,
    difference_estimate,
    missing_reason,
    slice_pairs,
)
from evalkit.comparison.table import FloatArray, TextArray
from evalkit.core.errors import InputError
from evalkit.core.estimate import Slice
from evalkit.core.gate import Decision, Gate
from evalkit.report.numbers import amount_text, p_text, slice_text
from evalkit.stats.multiplicity import holm
from evalkit.stats.one_sample import lower_limit_of_mean, p_below


@dataclass(frozen=True)
class _Evidence:
    """One slice of a gate before it is decided; M = samples that have a score in the candidate's run."""

    wanted: Slice
    required: bool
    pairs: SlicePairs
    values_M: FloatArray
    """In the metric's own unit, not turned."""
    blocked: tuple[Outcome, str] | None
    """Why this slice may not be decided at all; None = it may."""
    limit: float | None
    """The limit on the side that the rule asks about, in the metric's own unit."""
    p: float | None


def decide_bound(gate: Gate, paired: PairedMetric, standing_of: StandingOf) -> tuple[Decision, ...]:
    """All decisions of an `at_least` or `at_most` gate on the candidate's run, the overall first."""
    if gate.bound is None:
        raise InputError(f"gate {gate.metric}: `{gate.rule}` needs a `bound:`, the number to hold the metric against")
    evidence = [_gather(gate, gate.bound, paired, wanted, standing_of(wanted)) for wanted in gate_slices(gate, paired)]
    adjusted = iter(holm([found.p for found in evidence if found.p is not None]))
    return tuple(
        _decide(gate, gate.bound, paired, found, None if found.p is None else next(adjusted)) for found in evidence
    )


def _gather(gate: Gate, bound: float, paired: PairedMetric, wanted: Slice, standing: Standing) -> _Evidence:
    pairs, mask = slice_pairs(paired, wanted), paired.mask(wanted)
    if pairs.n_samples == 0:
        raise InputError(f"gate {gate.metric}: the required slice {slice_text(wanted)} has no samples in this run")
    there = mask & (paired.candidate.values_N == paired.candidate.values_N)  # NaN is not equal to itself
    values_M, cluster_M = paired.candidate.values_N[there], paired.cluster_N[there]
    blocked = _blocked(gate, pairs, standing, len(values_M))
    limit, p = (None, None) if blocked else _held_against(gate, bound, paired.unit, values_M, cluster_M)
    if blocked is None and limit is None:
        reason = arm_estimate(values_M, cluster_M, paired.unit).reason
        blocked, p = ("inconclusive", f"no limit can be computed: {reason}"), None
    return _Evidence(wanted, not wanted or wanted in gate.required, pairs, values_M, blocked, limit, p)


def _blocked(gate: Gate, pairs: SlicePairs, standing: Standing, n_scored: int) -> tuple[Outcome, str] | None:
    missing = missing_reason(pairs, gate.max_missing, one_run=True)
    if missing is not None and missing[0] == "system":
        return "invalid", f"{missing[1]}: resume the run"
    if not standing.holds:
        return "inconclusive", standing.because
    if missing is not None:
        return "inconclusive", missing[1]
    return None if n_scored else ("inconclusive", "no sample has a score")


def _held_against(
    gate: Gate, bound: float, unit: str, values_M: FloatArray, cluster_M: TextArray
) -> tuple[float | None, float | None]:
    """The one-sided limit in the metric's own unit, and the p of "the bound is held"."""
    if gate.rule == "at_least":
        limit = lower_limit_of_mean(values_M, cluster_N=cluster_M, alpha=gate.alpha, unit=unit)
        return limit, p_below(values_M, bound, cluster_N=cluster_M)
    origin = 1.0 if unit == "share" else 0.0
    limit = lower_limit_of_mean(origin - values_M, cluster_N=cluster_M, alpha=gate.alpha, unit=unit)
    return None if limit is None else origin - limit, p_below(origin - values_M, origin - bound, cluster_N=cluster_M)


def _decide(gate: Gate, bound: float, paired: PairedMetric, found: _Evidence, p_adjusted: float | None) -> Decision:
    rows = paired.mask(found.wanted)
    outcome, because = found.blocked or _hold(gate, bound, found, p_adjusted, paired.unit)
    if outcome in ("inconclusive", "invalid") and not found.required:
        outcome = "undecided"
    return Decision(
        gate=gate_id(gate, paired.name),
        metric=paired.name,
        slice=found.wanted,
        outcome=outcome,
        severity=gate.severity,
        required=found.required,
        baseline=arm_estimate(paired.baseline.values_N[rows], paired.cluster_N[rows], paired.unit),
        candidate=arm_estimate(paired.candidate.values_N[rows], paired.cluster_N[rows], paired.unit),
        difference=difference_estimate(found.pairs, paired.unit),
        better=paired.metric.better,
        margin=gate.margin,
        bound=bound,
        lower_limit=found.limit,
        p=found.p,
        p_adjusted=p_adjusted,
        n_pairs=len(found.values_M),
        because=because,
    )


def _hold(gate: Gate, bound: float, found: _Evidence, p_adjusted: float | None, unit: str) -> tuple[Outcome, str]:
    assert found.limit is not None, "without a limit the slice is blocked"
    sign = 1 if gate.rule == "at_least" else -1
    value, words = float(found.values_M.mean()), gate.rule.replace("_", " ")
    shown, wanted, limit = (_level(amount, unit) for amount in (value, bound, found.limit))
    if sign * found.limit > sign * bound:
        return "pass", f"{shown}, surely {words} {wanted} (one-sided limit {limit})"
    if p_adjusted is not None and p_adjusted < gate.alpha and sign * value < sign * bound:
        return "regressed", f"{shown} is not {words} {wanted} (adjusted p {p_text(p_adjusted)})"
    return "inconclusive", f"{shown} is not shown to be {words} {wanted} (one-sided limit {limit})"


def _level(amount: float, unit: str) -> str:
    return f"{100 * amount:.1f} %" if unit == "share" else amount_text(amount, unit)
