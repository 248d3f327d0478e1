"""Gates that hold one run's number against a bound: `at_least` and `at_most`.

pass          the one-sided limit of the candidate's value at 1 - alpha lies beyond the bound
regressed     the value is on the wrong side of the bound, Holm-adjusted p below alpha
inconclusive  neither, in the overall or a required slice
"""

import numpy as np

from evalkit.comparison.decide import Outcome, Standing, StandingOf, gate_id, gate_slices
from evalkit.comparison.pair import PairedMetric, arm_estimate
from evalkit.core.errors import InputError
from evalkit.core.estimate import Slice
from evalkit.core.gate import Decision, Gate
from evalkit.report.numbers import amount_text, p_text, slice_text
from evalkit.stats.multiplicity import holm
from evalkit.stats.one_sample import lower_limit_of_mean, p_below


def decide_bound(gate: Gate, paired: PairedMetric, standing_of: StandingOf) -> tuple[Decision, ...]:
    """All decisions of an `at_least` or `at_most` gate on the candidate's run, the overall first."""
    if gate.bound is None:
        raise InputError(f"gate {gate.metric}: `{gate.rule}` needs a `bound:`, the number to hold the metric against")
    slices = gate_slices(gate, paired)
    standings = [standing_of(wanted) for wanted in slices]
    p_values = [
        _p_value(gate, paired, wanted) if standing.holds else None
        for wanted, standing in zip(slices, standings, strict=True)
    ]
    adjusted = iter(holm([p for p in p_values if p is not None]))
    return tuple(
        _decide(gate, paired, wanted, standing, p, None if p is None else next(adjusted))
        for wanted, standing, p in zip(slices, standings, p_values, strict=True)
    )


def _sign(gate: Gate) -> int:
    return 1 if gate.rule == "at_least" else -1


def _values(paired: PairedMetric, wanted: Slice) -> tuple[np.ndarray, np.ndarray, int, int, int]:
    """Values and clusters that are there, then counts: samples, missing by the judge, missing by the system."""
    mask = paired.mask(wanted)
    there = mask & ~np.isnan(paired.candidate.values_N)
    judge = int((paired.candidate.judge_missing_N & mask).sum())
    system = int((paired.candidate.system_missing_N & mask).sum())
    return paired.candidate.values_N[there], paired.cluster_N[there], int(mask.sum()), judge, system


def _p_value(gate: Gate, paired: PairedMetric, wanted: Slice) -> float | None:
    values, clusters, *_ = _values(paired, wanted)
    sign, bound = _sign(gate), gate.bound or 0.0
    if len(values) == 0:
        return None
    if paired.unit == "share":
        values, bound = (values, bound) if sign > 0 else (1 - values, 1 - bound)
    else:
        values, bound = sign * values, sign * bound
    return p_below(values, bound, cluster_N=clusters)


def _decide(
    gate: Gate, paired: PairedMetric, wanted: Slice, standing: Standing, p: float | None, p_adjusted: float | None
) -> Decision:
    rows = paired.mask(wanted)
    values, clusters, n_samples, judge, system = _values(paired, wanted)
    if n_samples == 0:
        raise InputError(f"gate {gate.metric}: the required slice {slice_text(wanted)} has no samples in this run")
    required = not wanted or wanted in gate.required
    sign = _sign(gate)
    limit = (
        lower_limit_of_mean(sign * values, cluster_N=clusters, alpha=gate.alpha, unit=paired.unit)
        if len(values)
        else None
    )
    outcome: Outcome = "inconclusive"
    because = "no sample has a score"
    allowed = gate.max_missing * n_samples
    if system > allowed:
        outcome, because = (
            "invalid",
            f"{system} of {n_samples} samples have no score through the system's fault: resume the run",
        )
    elif not standing.holds:
        because = standing.because
    elif judge > allowed:
        because = f"{judge} of {n_samples} samples have no verdict, more than the {gate.max_missing:.0%} allowed"
    elif limit is not None:
        outcome, because = _hold(gate, float(values.mean()), sign * limit, p_adjusted, paired.unit)
    if outcome in ("inconclusive", "invalid") and not required:
        outcome = "undecided"
    return Decision(
        gate=gate_id(gate, paired.name),
        metric=paired.name,
        slice=wanted,
        outcome=outcome,
        severity=gate.severity,
        required=required,
        baseline=None,
        candidate=arm_estimate(paired.candidate.values_N[rows], paired.cluster_N[rows], paired.unit),
        difference=None,
        better=paired.metric.better,
        margin=gate.margin,
        lower_limit=limit,
        p=p,
        p_adjusted=p_adjusted,
        n_pairs=len(values),
        because=because,
    )


def _hold(gate: Gate, value: float, limit: float, p_adjusted: float | None, unit: str) -> tuple[Outcome, str]:
    words, bound = gate.rule.replace("_", " "), gate.bound or 0.0
    sign = _sign(gate)
    shown, wanted = _level(value, unit), _level(bound, unit)
    if sign * limit >= sign * bound:
        return "pass", f"{shown}, surely {words} {wanted} (one-sided limit {_level(limit, unit)})"
    if p_adjusted is not None and p_adjusted < gate.alpha and sign * value < sign * bound:
        return "regressed", f"{shown} is not {words} {wanted} (adjusted p {p_text(p_adjusted)})"
    return "inconclusive", f"{shown} is not shown to be {words} {wanted} (one-sided limit {_level(limit, unit)})"


def _level(amount: float, unit: str) -> str:
    return f"{100 * amount:.1f} %" if unit == "share" else amount_text(amount, unit)
