"""The rules on recall: of each class that people gave, how much the judge finds.

Two labels: one rule each. More labels: the lowest recall of all classes. Ordinal: at every cut between neighbouring
labels, the lowest of both sides, so that a judge one step off is not as wrong as one at the other end.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from evalkit.calibration.evidence import Evidence, Finding, failed_at_the_bound, lowest
from evalkit.calibration.judged import pooled
from evalkit.calibration.values import is_there
from evalkit.calibration.wording import coefficient, reference_words, with_interval
from evalkit.stats.intervals import share

RECALL_FLOOR = 0.70

Membership = Callable[[NDArray[np.int16], int], NDArray[np.bool_]]
"""Which values belong to one side of a class or cut."""


def recall_rules(evidence: Evidence) -> Iterator[Finding]:
    """Of each class that people gave, how much the judge finds."""
    scale, size = evidence.table.scale, len(evidence.table.scale.labels)
    if scale.kind == "interval":
        yield Finding(
            "recall",
            "not_available",
            "numbers have no classes whose recall could be held to a floor; to gate, use a binary or ordinal scale",
            "advisory",
        )
    elif size == 2:
        rules = ("true_negative_rate", "true_positive_rate")
        for label in (1, 0):
            yield _recall(evidence, rules[label], f'of the responses that are "{scale.labels[label]}"', _same, label)
    elif scale.kind == "ordinal":
        yield lowest([_recall(evidence, "recall", *cut) for cut in _cuts(scale.labels)])
    else:
        occurring = [label for label in range(size) if (evidence.reference_N == label).any()]
        says = [f'lowest of all classes: of "{scale.labels[at]}"' for at in occurring]
        yield lowest([_recall(evidence, "recall", of, _same, at) for of, at in zip(says, occurring, strict=True)])


def _same(values: NDArray[np.int16], label: int) -> NDArray[np.bool_]:
    return np.asarray(values == label)


def _at_most(values: NDArray[np.int16], label: int) -> NDArray[np.bool_]:
    return np.asarray((values >= 0) & (values <= label))


def _at_least(values: NDArray[np.int16], label: int) -> NDArray[np.bool_]:
    return np.asarray(values >= label)


def _cuts(labels: tuple[str, ...]) -> Iterator[tuple[str, Membership, int]]:
    """Both sides of every cut of an ordinal scale."""
    for at in range(1, len(labels)):
        yield f'lowest at any cut: of "{labels[at]}" or above', _at_least, at
        yield f'lowest at any cut: of "{labels[at - 1]}" or below', _at_most, at - 1


def _recall(evidence: Evidence, rule: str, of_what: str, belongs: Membership, label: int) -> Finding:
    """One class: the share of the reference's members that the judge puts there too."""
    reference, verdicts, clusters = pooled(evidence.table, evidence.reference_N)
    members = belongs(reference, label)
    found = belongs(verdicts, label) & is_there(verdicts)
    readable = members & is_there(verdicts)
    if not readable.any():
        return Finding(rule, "not_available", f"{of_what}: there are none with a verdict", "advisory")
    level = evidence.drawing.level
    estimate = share(found[readable].astype(float), cluster_N=clusters[readable], level=level)
    says = f"{of_what} ({reference_words(evidence.name)}) the judge finds {with_interval(estimate, 3)}"
    says += f": the lower limit must be at least {coefficient(RECALL_FLOOR)}"
    if estimate.low is None or estimate.low < RECALL_FLOOR:
        near = estimate.value is not None and estimate.value >= RECALL_FLOOR
        return Finding(rule, "failed", says, "advisory" if near else "not")
    missing = int(members.sum() - readable.sum())
    if missing:
        worst = share(found[members].astype(float), cluster_N=clusters[members], level=level)
        if worst.low is None or worst.low < RECALL_FLOOR:
            return failed_at_the_bound(rule, says, missing, with_interval(worst, 3))
    return Finding(rule, "met", says, "gating")
