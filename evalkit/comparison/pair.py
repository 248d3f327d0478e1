"""Pair two runs by (task, sample_id): the same samples, in the same order, one number each per metric."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.comparison.table import (
    BLAMES,
    BoolArray,
    FloatArray,
    MetricValues,
    TaskTable,
    metric_values,
    slice_mask,
)
from evalkit.core.errors import NoBaseline
from evalkit.core.estimate import Estimate, Slice, undefined
from evalkit.core.failure import Blame
from evalkit.core.suite import MetricSpec
from evalkit.stats.intervals import mean
from evalkit.stats.paired import paired_difference


@dataclass(frozen=True)
class PairedMetric:
    """One metric in both arms. N = samples the metric speaks of, in the baseline's order."""

    name: str
    """`TASK.METRIC`."""
    metric: MetricSpec
    table: TaskTable
    """The baseline's table: clusters and slice columns."""
    baseline: MetricValues
    candidate: MetricValues

    @property
    def unit(self) -> str:
        """Unit of the values and of their difference."""
        return self.baseline.unit

    @property
    def sign(self) -> int:
        """+1 when higher is better, -1 when lower is."""
        return 1 if self.metric.better == "higher" else -1

    @property
    def cluster_N(self) -> NDArray[Any]:
        """Cluster of each sample."""
        return self.table.cluster_N[self.baseline.rows_N]

    def mask(self, wanted: Slice) -> BoolArray:
        """Which of the N samples lie in a slice."""
        return slice_mask(self.table, wanted)[self.baseline.rows_N]


@dataclass(frozen=True)
class SlicePairs:
    """The pairs of one metric in one slice: both values present."""

    baseline_N: FloatArray
    candidate_N: FloatArray
    cluster_N: NDArray[Any]
    n_samples: int
    """Samples in the slice, missing ones too."""
    missing: dict[Blame, tuple[float, float]]
    """Whose fault -> how many samples have no value through it, in the baseline and in the candidate. A sample that
    lacks some of its attempts counts in part."""

    @property
    def n_pairs(self) -> int:
        """Samples with a value in both arms."""
        return len(self.baseline_N)


def check_same_samples(baseline: TaskTable, candidate: TaskTable) -> None:
    """Raises NoBaseline when the two runs did not ask the same samples, naming some that differ."""
    before, after = set(baseline.sample_ids), set(candidate.sample_ids)
    if before == after:
        return
    lacking, extra = sorted(before - after), sorted(after - before)
    said = [f"{len(lacking)} only in the baseline (e.g. {lacking[0]})"] if lacking else []
    said += [f"{len(extra)} only in the candidate (e.g. {extra[0]})"] if extra else []
    raise NoBaseline(f"task {baseline.task.name}: the runs did not ask the same samples: {', '.join(said)}")


def pair_metric(baseline: TaskTable, candidate: TaskTable, metric: MetricSpec) -> PairedMetric:
    """Both arms of one metric. The candidate's samples are put in the baseline's order."""
    before, after = metric_values(baseline, metric), metric_values(_in_order_of(baseline, candidate), metric)
    return PairedMetric(f"{baseline.task.name}.{metric.name}", metric, baseline, before, after)


def slice_pairs(paired: PairedMetric, wanted: Slice) -> SlicePairs:
    """The pairs of a slice, with what is missing counted by blame."""
    mask = paired.mask(wanted)
    both = mask & ~np.isnan(paired.baseline.values_N) & ~np.isnan(paired.candidate.values_N)
    return SlicePairs(
        baseline_N=paired.baseline.values_N[both],
        candidate_N=paired.candidate.values_N[both],
        cluster_N=paired.cluster_N[both],
        n_samples=int(mask.sum()),
        missing={
            blame: (
                float(paired.baseline.missing_N[blame][mask].sum()),
                float(paired.candidate.missing_N[blame][mask].sum()),
            )
            for blame in BLAMES
        },
    )


def missing_reason(pairs: SlicePairs, max_missing: float, *, one_run: bool = False) -> tuple[Blame, str] | None:
    """Whose missing scores are more than a gate allows in one of the runs, and the sentence that says so.

    one_run: only the candidate's run counts.
    """
    for blame in BLAMES:
        before, after = pairs.missing[blame]
        most = after if one_run else max(before, after)
        if most > max_missing * pairs.n_samples:
            counts = f"{after:.4g}" if one_run else f"{before:.4g} in the baseline and {after:.4g} in the candidate"
            return blame, (
                f"of {pairs.n_samples} samples {counts} have no score through the {blame}'s fault, "
                f"more than the {max_missing:.0%} allowed"
            )
    return None


def arm_estimate(values_N: FloatArray, cluster_N: NDArray[Any], unit: str) -> Estimate:
    """One arm's mean with its interval: a score interval for 0/1 scores, else t; errors by cluster. NaN = missing."""
    there = ~np.isnan(values_N)
    missing = int(len(values_N) - there.sum())
    if not there.any():
        return undefined("no sample has a score", unit=unit, n_missing=missing)
    found = mean(values_N[there], cluster_N=cluster_N[there], unit=unit)
    return found.model_copy(update={"n_missing": missing})


def difference_estimate(pairs: SlicePairs, unit: str) -> Estimate:
    """Candidate - baseline over the pairs, 95 % interval."""
    found = paired_difference(pairs.baseline_N, pairs.candidate_N, cluster_N=pairs.cluster_N, unit=unit)
    return found.model_copy(update={"n_missing": pairs.n_samples - pairs.n_pairs})


def _in_order_of(baseline: TaskTable, candidate: TaskTable) -> TaskTable:
    if baseline.sample_ids == candidate.sample_ids:
        return candidate
    row_of = {sample_id: row for row, sample_id in enumerate(candidate.sample_ids)}
    order = np.array([row_of[sample_id] for sample_id in baseline.sample_ids])
    return TaskTable(
        task=candidate.task,
        sample_ids=baseline.sample_ids,
        cluster_N=candidate.cluster_N[order],
        columns={name: values[order] for name, values in candidate.columns.items()},
        scorers={
            name: type(column)(column.unit, column.values_NK[order], column.labels_NK[order], column.blame_NK[order])
            for name, column in candidate.scorers.items()
        },
    )
