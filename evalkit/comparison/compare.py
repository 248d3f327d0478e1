"""Hold a candidate's run against a baseline's: metrics, gates, transitions, judges, verdict. Pure: tables in, record
out.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from evalkit.comparison.gates import decide, resolve_gates
from evalkit.comparison.pair import (
    PairedMetric,
    arm_estimate,
    check_same_samples,
    difference_estimate,
    pair_metric,
    slice_pairs,
)
from evalkit.comparison.table import TaskTable, slices_of
from evalkit.comparison.transitions import ChangedSample, transitions
from evalkit.comparison.trust import judge_trust, policy_of, standing_by_card
from evalkit.comparison.verdict import OnInconclusive, by_gate, exit_code, overall_verdict, verdict_sentence
from evalkit.core.card import JudgeCard
from evalkit.core.comparison import Comparison, JudgeTrust, MetricRow, RunSummary, TransitionCount
from evalkit.core.errors import EvalkitError, Place
from evalkit.core.estimate import Slice
from evalkit.core.gate import Decision, Gate
from evalkit.core.manifest import RunManifest, partial_words
from evalkit.core.report_spec import ReportSpec
from evalkit.core.suite import MetricSpec, Suite, Task
from evalkit.report.numbers import slice_text


@dataclass(frozen=True)
class Arm:
    """One run: what it was and what it scored."""

    manifest: RunManifest
    tables: dict[str, TaskTable]
    """Task -> its table."""


@dataclass(frozen=True)
class CompareSettings:
    """What a comparison depends on beside the two runs."""

    report: ReportSpec
    cards: dict[str, tuple[JudgeCard, ...]]
    """Judge name -> the cards whose digest is that judge's, best first."""
    now: datetime
    on_inconclusive: OnInconclusive = "default"
    gate_places: dict[int, Place] | None = None
    command: str = ""


def compare_runs(baseline: Arm, candidate: Arm, settings: CompareSettings) -> tuple[Comparison, list[ChangedSample]]:
    """The comparison without people's text, and the samples whose text is to be shown with it."""
    suite = candidate.manifest.suite
    paired = pair_all(baseline, candidate)
    decisions = _beside_people(_decide_all(candidate.manifest, paired, settings), suite)
    counted = [transitions(metric, settings.report.max_changed) for metric in paired.values() if metric.unit == "share"]
    verdict = overall_verdict(decisions)
    kinds = {name: task.kind for name, (task, _) in suite.metrics.items()}
    code = exit_code(verdict, decisions, lambda metric: kinds.get(metric) == "safety", settings.on_inconclusive)
    judges = judge_trust(candidate.manifest.judges, settings.cards)
    comparison = Comparison(
        schema="evalkit.result/1",
        verdict=verdict,
        exit_code=int(code),
        sentence=verdict_sentence(verdict, decisions),
        suite=suite.name,
        suite_version=suite.version,
        baseline=_summary(baseline.manifest),
        candidate=_summary(candidate.manifest),
        decisions=decisions,
        metrics=tuple(row for metric in paired.values() for row in _rows(metric)),
        transitions=tuple(count for count, _ in counted),
        judges=judges,
        notes=(
            *_by_construction(judges),
            *_notes(baseline.manifest, candidate.manifest, counted),
            *_uncovered(decisions),
            *_never_given(paired),
        ),
        made_at=settings.now,
        command=settings.command,
        provenance=_provenance(baseline.manifest, candidate.manifest),
        sections=settings.report.sections,
    )
    return comparison, [sample for _, samples in counted for sample in samples]


def invalid_comparison(
    baseline: RunManifest, candidate: RunManifest, error: EvalkitError, now: datetime, command: str
) -> Comparison:
    """The record of two runs that cannot be compared: no decisions, and why."""
    return Comparison(
        schema="evalkit.result/1",
        verdict="invalid",
        exit_code=error.exit_code,
        sentence=f"INVALID, nothing may be concluded: {error}",
        suite=candidate.suite.name,
        suite_version=candidate.suite.version,
        baseline=_summary(baseline),
        candidate=_summary(candidate),
        decisions=(),
        made_at=now,
        command=command,
        provenance=_provenance(baseline, candidate),
    )


def pair_all(baseline: Arm, candidate: Arm) -> dict[str, PairedMetric]:
    """Every metric of the suite, paired. Raises NoBaseline when the runs did not ask the same samples."""
    paired: dict[str, PairedMetric] = {}
    for name, (task, metric) in candidate.manifest.suite.metrics.items():
        ours, theirs = baseline.tables[task.name], candidate.tables[task.name]
        check_same_samples(ours, theirs)
        paired[name] = pair_metric(ours, theirs, metric)
    return paired


def _decide_all(
    manifest: RunManifest, paired: dict[str, PairedMetric], settings: CompareSettings
) -> tuple[Decision, ...]:
    units = {name: metric.unit for name, metric in paired.items()}
    decisions: list[Decision] = []
    for gate, name in resolve_gates(settings.report.gates, manifest.suite, units, settings.gate_places):
        metric = paired[name].metric
        judge = metric.judge or ""
        standing_of = standing_by_card(
            gate, metric, settings.cards.get(judge, ()), manifest.judges.get(judge), settings.now
        )
        decisions += decide(_as_policy_says(gate, metric), paired[name], standing_of)
    return tuple(decisions)


def _as_policy_says(gate: Gate, metric: MetricSpec) -> Gate:
    """A judge's gate that asks for no card informs, never blocks."""
    advisory = metric.judge is not None and policy_of(gate, metric) == "none"
    return gate.model_copy(update={"severity": "advisory"}) if advisory else gate


def _beside_people(decisions: tuple[Decision, ...], suite: Suite) -> tuple[Decision, ...]:
    """Name, beside each decision on a judge's verdicts, the same metric on people's labels of the same answers."""
    known = suite.metrics
    twins = {
        name: tuple(
            other
            for other, (its_task, its_metric) in known.items()
            if its_task is task and _same_question(metric, its_metric) and _from_people(its_task, its_metric)
        )
        for name, (task, metric) in known.items()
    }
    return tuple(
        decision.model_copy(update={"beside": twins[decision.metric]})
        if known[decision.metric][1].judge and twins[decision.metric]
        else decision
        for decision in decisions
    )


def _same_question(one: MetricSpec, other: MetricSpec) -> bool:
    """Whether two metrics ask the same of the same samples; each scorer has its own names for labels."""
    return (one.reduce, one.where, one.better) == (other.reduce, other.where, other.better)


def _from_people(task: Task, metric: MetricSpec) -> bool:
    return any(spec.scorer == "labels" and spec.name == metric.scorer for spec in task.scorers)


def _rows(paired: PairedMetric) -> list[MetricRow]:
    rows_N = np.zeros(paired.table.n_samples, dtype=bool)
    rows_N[paired.baseline.rows_N] = True
    slices: list[Slice] = [{}]
    for columns in paired.table.task.slices:
        slices += slices_of(paired.table, columns, rows_N)
    return [_row(paired, wanted) for wanted in slices]


def _row(paired: PairedMetric, wanted: Slice) -> MetricRow:
    mask, task = paired.mask(wanted), paired.table.task
    return MetricRow(
        metric=paired.name,
        task=task.name,
        kind=task.kind,
        scorer=paired.metric.scorer,
        slice=wanted,
        better=paired.metric.better,
        baseline=arm_estimate(paired.baseline.values_N[mask], paired.cluster_N[mask], paired.unit),
        candidate=arm_estimate(paired.candidate.values_N[mask], paired.cluster_N[mask], paired.unit),
        difference=difference_estimate(slice_pairs(paired, wanted), paired.unit),
    )


def _summary(manifest: RunManifest) -> RunSummary:
    return RunSummary(
        run_id=manifest.run_id,
        name=manifest.candidate.name,
        model=manifest.candidate.model,
        engine=manifest.candidate.engine,
        revision=manifest.candidate.revision,
        started_at=manifest.started_at,
        counts=manifest.counts,
        partial=manifest.partial,
        digests=manifest.digests,
    )


def _by_construction(judges: tuple[JudgeTrust, ...]) -> list[str]:
    """Which judges no person's label stands behind."""
    return [
        f"Judge {trust.judge} was measured on labels made by construction, not by people: what rests on its verdicts "
        "holds for answers like those alone."
        for trust in judges
        if trust.labels == "constructed"
    ]


def _notes(
    baseline: RunManifest, candidate: RunManifest, counted: list[tuple[TransitionCount, list[ChangedSample]]]
) -> list[str]:
    notes = [
        f"The {arm} run is partial: {partial_words(manifest)}."
        for arm, manifest in (("baseline", baseline), ("candidate", candidate))
        if manifest.partial
    ]
    if baseline.digests.get("model") and baseline.digests.get("model") == candidate.digests.get("model"):
        notes.append("Baseline and candidate are the same model: this compares a model with itself.")
    cut = [
        count.metric
        for count, _ in counted
        if count.shown < count.newly_failing + count.newly_passing + count.both_failing
    ]
    if cut:
        notes.append(f"Not every changed sample is shown for {', '.join(cut)}; the counts are whole.")
    return notes


def _uncovered(decisions: tuple[Decision, ...]) -> list[str]:
    """How many samples of a gate that decided overall lie in slices where its judge's card does not hold."""
    notes = []
    for gate, group in by_gate(decisions).items():
        overall = next((found for found in group if not found.slice), None)
        open_slices = [found for found in group if found.slice and found.outcome == "undecided" and found.p is None]
        if overall is not None and overall.p is not None and open_slices:
            n = sum(found.n_pairs for found in open_slices)
            named = ", ".join(slice_text(found.slice) for found in open_slices[:6])
            more = f" and {len(open_slices) - 6} more" if len(open_slices) > 6 else ""
            notes.append(
                f"{gate}: decided overall, but {n} of its {overall.n_pairs} samples lie in slices where nothing may be "
                f"decided ({named}{more}): {open_slices[0].because}."
            )
    return notes


def _never_given(paired: dict[str, PairedMetric]) -> list[str]:
    """Shares whose labels nobody was given in either run: that may be so, or a label is mistyped."""
    return [
        f"{name}: none of its labels ({', '.join(found.metric.labels)}) was given in either run; is one mistyped?"
        for name, found in paired.items()
        if found.metric.labels and not (np.nansum(found.baseline.values_N) or np.nansum(found.candidate.values_N))
    ]


def _provenance(baseline: RunManifest, candidate: RunManifest) -> dict[str, object]:
    def of(manifest: RunManifest) -> dict[str, object]:
        fields = {
            "run_id",
            "digests",
            "seeds",
            "versions",
            "hardware",
            "git_commit",
            "counts",
            "started_at",
            "ended_at",
            "command",
        }
        return manifest.model_dump(mode="json", include=fields)

    return {"baseline": of(baseline), "candidate": of(candidate)}
