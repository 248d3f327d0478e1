"""The decision rule: one gate over one metric and its slices gives decisions, and the gates give one verdict.

d = candidate - baseline, paired by sample and turned so that larger is better; m the margin.

    required slice (overall always)   pass          one-sided lower limit of d at 1 - alpha above -m
                                      regressed     Holm-adjusted p of "d >= 0" below alpha, and d below -m
                                      invalid       system scores missing above max_missing
                                      inconclusive  judge scores missing above max_missing, no card that holds here,
                                                    or neither of the first two
    any other slice                   can only be regressed; else it is listed, decided or not

Required slices must all pass, so nothing is adjusted for passing; every slice can regress, so that side is adjusted:
with no difference anywhere the chance of `regressed` is at most alpha per gate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evalkit.comparison.pair import (
    PairedMetric,
    SlicePairs,
    arm_estimate,
    difference_estimate,
    missing_reason,
    slice_pairs,
)
from evalkit.comparison.table import FloatArray, slices_of
from evalkit.core.errors import InputError
from evalkit.core.estimate import Slice
from evalkit.core.gate import Decision, Gate, Verdict
from evalkit.report.numbers import amount_text, p_text, slice_text
from evalkit.stats.clusters import cluster_codes, standard_error
from evalkit.stats.multiplicity import holm
from evalkit.stats.paired import lower_limit, p_worse
from evalkit.stats.power import samples_to_pass, smallest_detectable_drop


@dataclass(frozen=True)
class Standing:
    """Whether a metric may decide in a slice, as far as its judge goes."""

    holds: bool
    because: str = ""


Outcome = Verdict | Literal["undecided"]

StandingOf = Callable[[Slice], Standing]
"""Slice -> whether the judge's card holds there; always so for rules and people's labels."""


@dataclass(frozen=True)
class _Evidence:
    """One slice of a gate before it is decided."""

    wanted: Slice
    required: bool
    pairs: SlicePairs
    baseline_N: FloatArray
    """Turned so that larger is better; the candidate's likewise."""
    candidate_N: FloatArray
    blocked: tuple[Outcome, str] | None
    """Why this slice may not be decided at all; None = it may."""
    lower: float | None
    p: float | None
    test: str


def decide_no_worse(gate: Gate, paired: PairedMetric, standing_of: StandingOf) -> tuple[Decision, ...]:
    """All decisions of a `no_worse_than` gate, the overall first. Raises InputError for a required slice without
    samples.
    """
    evidence = [_gather(gate, paired, wanted, standing_of) for wanted in gate_slices(gate, paired)]
    p_values = [found.p for found in evidence if found.p is not None]
    adjusted = iter(holm(p_values))
    return tuple(
        _decide(gate, paired, found, None if found.p is None else next(adjusted), max(1, len(p_values)))
        for found in evidence
    )


def gate_slices(gate: Gate, paired: PairedMetric) -> list[Slice]:
    """The overall, every slice of the gate's columns, and required slices beyond them."""
    mask = np.zeros(paired.table.n_samples, dtype=bool)
    mask[paired.baseline.rows_N] = True
    slices: list[Slice] = [{}, *slices_of(paired.table, gate.by, mask)]
    return slices + [dict(wanted) for wanted in gate.required if wanted not in slices]


def gate_id(gate: Gate, metric: str) -> str:
    """The gate's name in result files: stable across runs.

    >>> gate_id(Gate(metric="support.over_refusal"), "support.over_refusal")
    'support.over_refusal no_worse_than'
    """
    return f"{metric} {gate.rule}"


def _gather(gate: Gate, paired: PairedMetric, wanted: Slice, standing_of: StandingOf) -> _Evidence:
    pairs = slice_pairs(paired, wanted)
    if pairs.n_samples == 0:
        raise InputError(f"gate {gate.metric}: the required slice {slice_text(wanted)} has no samples in these runs")
    baseline_N, candidate_N = turned(pairs.baseline_N, paired), turned(pairs.candidate_N, paired)
    lower = lower_limit(baseline_N, candidate_N, cluster_N=pairs.cluster_N, alpha=gate.alpha, unit=paired.unit)
    blocked = _blocked(gate, pairs, standing_of(wanted))
    if blocked is None and lower is None:
        blocked = "inconclusive", f"no limit can be computed: {difference_estimate(pairs, paired.unit).reason}"
    # Only what may regress is tested, and only what is tested is adjusted for.
    p, test = (None, "") if blocked else p_worse(baseline_N, candidate_N, cluster_N=pairs.cluster_N)
    return _Evidence(
        wanted=wanted,
        required=not wanted or wanted in gate.required,
        pairs=pairs,
        baseline_N=baseline_N,
        candidate_N=candidate_N,
        blocked=blocked,
        lower=lower,
        p=p,
        test=test,
    )


def _decide(gate: Gate, paired: PairedMetric, found: _Evidence, p_adjusted: float | None, n_tested: int) -> Decision:
    outcome, because, more = _outcome(gate, paired, found, p_adjusted)
    rows = paired.mask(found.wanted)
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
        lower_limit=found.lower,
        p=found.p,
        p_adjusted=p_adjusted,
        n_pairs=found.pairs.n_pairs,
        smallest_detectable_drop=smallest_detectable_drop(
            found.baseline_N,
            found.candidate_N,
            cluster_N=found.pairs.cluster_N,
            # Holm's first step, the strictest.
            alpha=gate.alpha / n_tested,
            margin=gate.margin,
            unit=paired.unit,
        ),
        more_samples_needed=more,
        because=because,
    )


def _outcome(
    gate: Gate, paired: PairedMetric, found: _Evidence, p_adjusted: float | None
) -> tuple[Outcome, str, int | None]:
    """Outcome, the sentence that says what decided, and how many more samples would let it pass (where that can be
    said).
    """
    if found.blocked is not None:
        kind, because = found.blocked
        return (kind if found.required else "undecided"), because, None
    pairs, unit = found.pairs, paired.unit
    change = paired.sign * float(np.mean(pairs.candidate_N - pairs.baseline_N))
    margin = amount_text(gate.margin, unit)
    if p_adjusted is not None and p_adjusted < gate.alpha and change < -gate.margin:
        test = f"{found.test}, adjusted p {p_text(p_adjusted)}"
        return "regressed", f"worse by {amount_text(-change, unit)}, beyond the margin of {margin} ({test})", None
    if found.lower is not None and found.lower > -gate.margin:
        return "pass", _passing_words(gate, found, change, unit), None
    more = _more_samples(gate, paired, found, change)
    worst = amount_text(-(found.lower or 0.0), unit)
    words = f"not shown to be within {margin} of the baseline: it may be worse by up to {worst}"
    if more is not None:
        words += f"; about {more} more samples like these would decide"
    return ("inconclusive" if found.required else "undecided"), words, more


def _blocked(gate: Gate, pairs: SlicePairs, standing: Standing) -> tuple[Outcome, str] | None:
    """Why this slice may not be decided at all, if so."""
    missing = missing_reason(pairs, gate.max_missing)
    if missing is not None and missing[0] == "system":
        return "invalid", f"{missing[1]}: resume the run, then compare again"
    if not standing.holds:
        return "inconclusive", standing.because
    if missing is not None:
        return "inconclusive", missing[1]
    return None if pairs.n_pairs else ("inconclusive", "no sample has a score in both runs")


def turned(values_N: FloatArray, paired: PairedMetric) -> FloatArray:
    """Values turned so that larger is better; 1 - x of a share keeps 0/1 scores 0/1, and their exact tests."""
    if paired.sign > 0:
        return values_N
    return 1 - values_N if paired.unit == "share" else -values_N


def _passing_words(gate: Gate, found: _Evidence, change: float, unit: str) -> str:
    margin = amount_text(gate.margin, unit)
    if found.p is not None and found.p < gate.alpha:
        return f"worse by {amount_text(-change, unit)}, which is real but within the margin of {margin}"
    if found.lower is not None and found.lower >= 0:
        return f"better by {amount_text(change, unit)}"
    worst = -(found.lower or 0.0)
    direction = f"better by {amount_text(change, unit)}; " if change > 0 else "no difference; " if change == 0 else ""
    return f"{direction}worse by at most {amount_text(worst, unit)}, within the margin of {margin}"


def _more_samples(gate: Gate, paired: PairedMetric, found: _Evidence, change: float) -> int | None:
    """Samples to add so that the lower limit clears the margin, if difference and spread stay; None = no number would.

    A gate that misses by less than chance allows for is given what brings its limit just past the margin.
    """
    pairs, room = found.pairs, gate.margin + change
    if room <= 0 or found.lower is None or pairs.n_pairs < 2:
        return None
    codes_N, n_clusters = cluster_codes(pairs.cluster_N, pairs.n_pairs)
    error = standard_error(pairs.candidate_N - pairs.baseline_N, codes_N, n_clusters) if n_clusters > 1 else 0.0
    spread = error * math.sqrt(pairs.n_pairs)
    needed = samples_to_pass(margin=gate.margin, difference=change, sd=spread, alpha=gate.alpha, unit=paired.unit)
    # What would bring this very limit to the margin: where nothing differs its width falls with n, else with the root.
    shrink = (change - found.lower) / room
    at_least = math.ceil(pairs.n_pairs * (shrink if spread == 0 else shrink**2))
    if spread > 0 and needed is not None and needed > pairs.n_pairs:
        at_least = needed
    return max(at_least, needed or 0, pairs.n_pairs + 1) - pairs.n_pairs
