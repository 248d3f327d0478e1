"""Estimates of a judge as a classifier that are shares, or averages of shares, with Wilson's interval.

    accuracy, TPR, TNR, precision, recall         Wilson; with clusters at the effective number of samples
    f1                                            Wilson of s = TP/(TP+FP+FN), carried over: F1 = 2 s/(1 + s)
    balanced accuracy, macro precision, recall    the classes' Wilson distances, squared and added (MOVER); independent
                                                  samples only, since in clusters the classes' errors may go together

A class with five samples, all right, adds its own Wilson width to the average; a bootstrap would see no spread in it.
Source: Zou and Donner 2008, Statistics in Medicine 27:1693-1702 (MOVER).
"""

import math

import numpy as np

from evalkit.core.estimate import Estimate
from evalkit.stats import intervals
from evalkit.stats.classification import NEGATIVE, POSITIVE
from evalkit.stats.paired_labels import PairedLabels
from evalkit.stats.shared_draws import WHY_UNDEFINED, Basis, Mask, undefined_estimate


def agreement_share(labels: PairedLabels) -> Estimate:
    """Share of samples with the same label on both sides."""
    return _share(labels, labels.reference_N == labels.judge_N, np.ones(labels.sampling.n, dtype=bool), "accuracy")


def binary_shares(labels: PairedLabels) -> dict[str, Estimate]:
    """Rates of a binary scale, classes (negative, positive)."""
    right = labels.reference_N == labels.judge_N
    reference_positive, judge_positive = labels.reference_N == POSITIVE, labels.judge_N == POSITIVE
    result = {
        "true_positive_rate": _share(labels, right, reference_positive, "true_positive_rate"),
        "true_negative_rate": _share(labels, right, labels.reference_N == NEGATIVE, "true_negative_rate"),
        "precision": _share(labels, right, judge_positive, "precision"),
    }
    result["recall"] = result["true_positive_rate"]
    overlap = _share(labels, right, reference_positive | judge_positive, "f1")
    result["f1"] = overlap.model_copy(
        update={
            "value": _f1_of_overlap(overlap.value),
            "low": _f1_of_overlap(overlap.low),
            "high": _f1_of_overlap(overlap.high),
            "method": f"{overlap.method} of TP/(TP+FP+FN)" if overlap.value is not None else "",
        }
    )
    return result


def class_averages(labels: PairedLabels) -> dict[str, Estimate]:
    """Balanced accuracy, macro precision and macro recall of independent samples; only those that are defined."""
    right = labels.reference_N == labels.judge_N
    classes = np.unique(np.concatenate([labels.reference_N, labels.judge_N]))
    recalls = [_share(labels, right, labels.reference_N == each, "recall") for each in classes]
    precisions = [_share(labels, right, labels.judge_N == each, "precision") for each in classes]
    seen = [recall for recall in recalls if recall.value is not None]
    averages = {
        "balanced_accuracy": _average(seen, labels) if len(seen) > 1 else None,
        "macro_precision": _average(precisions, labels),
        "macro_recall": _average(recalls, labels),
    }
    return {name: average for name, average in averages.items() if average is not None}


def _share(labels: PairedLabels, right_N: Mask, among_N: Mask, name: str) -> Estimate:
    """Share of right samples among those chosen."""
    if not among_N.any():
        reason = WHY_UNDEFINED[name] if labels.sampling.n else "no samples"
        return undefined_estimate(name, Basis(0, 0, labels.sampling.by_cluster), labels.sampling.level, reason)
    cluster_N = labels.sampling.codes_N[among_N] if labels.sampling.by_cluster else None
    return intervals.share(right_N[among_N].astype(np.float64), cluster_N=cluster_N, level=labels.sampling.level)


def _f1_of_overlap(overlap: float | None) -> float | None:
    return None if overlap is None else 2 * overlap / (1 + overlap)


def _average(shares: list[Estimate], labels: PairedLabels) -> Estimate | None:
    """Mean of independent shares, each interval's distances added in squares; None where one of them is undefined."""
    ends = [(share.value, share.low, share.high) for share in shares]
    known = np.array([each for each in ends if None not in each], dtype=np.float64).reshape(-1, 3)
    if len(known) < len(shares) or not shares:
        return None
    value_C, low_C, high_C = known.T
    value = float(value_C.mean())
    below = math.sqrt(float(((value_C - low_C) ** 2).sum())) / len(known)
    above = math.sqrt(float(((high_C - value_C) ** 2).sum())) / len(known)
    return Estimate(
        value=value,
        low=max(0.0, value - below),
        high=min(1.0, value + above),
        level=labels.sampling.level,
        n=labels.sampling.n,
        n_clusters=labels.sampling.n_clusters if labels.sampling.by_cluster else None,
        method="wilson by class, averaged (mover)",
        unit="share",
    )
