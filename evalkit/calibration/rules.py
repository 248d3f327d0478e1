"""The rules that a judge must meet in a slice before its verdicts may gate a release.

    labels               200 labelled responses, 50 of the rarer class       50 to 199: advisory      below 50: not
    human_agreement      people's own alpha at least .40, or the slice is void: the rubric needs mending, not the judge
    true_positive_rate   lower limit at least .70; likewise                   value .70, limit below: advisory
    true_negative_rate   more than two labels: `recall`, the lowest of all classes; ordinal: the lowest at any cut
    absolute_agreement   kappa (or alpha) with the reference at least .60     .40 to .60: advisory     below .40: not
    distance_to_humans   lower limit of judge-human minus human-human alpha at least -.10   value above: advisory
                         available where two raters exist

Each is looked at twice where verdicts are missing: a rule that is met over the readable verdicts, but would not be if
every missing verdict disagreed, has failed. The floors are policy, not statistics.
"""

from collections.abc import Iterator

import numpy as np

from evalkit.calibration import sums
from evalkit.calibration.ceiling import against_all_raters, difference_name
from evalkit.calibration.evidence import Evidence, Finding, agreement_name, failed_at_the_bound
from evalkit.calibration.judged import pooled
from evalkit.calibration.recall import recall_rules
from evalkit.calibration.table import Table
from evalkit.calibration.values import Values, is_there
from evalkit.calibration.wording import STATISTIC_NAMES, coefficient, reference_words, with_interval
from evalkit.core.card import LABELS_TO_GATE, RARER_CLASS_TO_GATE, Fitness
from evalkit.core.estimate import Estimate
from evalkit.stats.alpha import alpha_of_coincidences
from evalkit.stats.moments import alpha_of_moments

LABELS_TO_ADVISE = 50
AGREEMENT_TO_GATE, AGREEMENT_TO_ADVISE = 0.60, 0.40
HUMAN_ALPHA_FLOOR = 0.40
DISTANCE_FLOOR = -0.10


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Every rule on one slice."""
    yield labels_rule(evidence)
    yield human_agreement_rule(evidence)
    yield from recall_rules(evidence)
    yield absolute_agreement_rule(evidence)
    yield distance_rule(evidence)


def labels_rule(evidence: Evidence) -> Finding:
    """Enough labels, and enough of each class."""
    reference_N = evidence.reference_N
    n = int(is_there(reference_N).sum())
    rarer, rarer_says = _rarer_class(evidence.table, reference_N)
    because = f"{n} labelled responses{rarer_says}: gating needs {LABELS_TO_GATE}"
    because += f" and {RARER_CLASS_TO_GATE} of the rarer class" if rarer is not None else ""
    if n >= LABELS_TO_GATE and (rarer is None or rarer >= RARER_CLASS_TO_GATE):
        return Finding("labels", "met", because, "gating")
    lacking = max(LABELS_TO_GATE - n, 0)
    more = f"label {lacking} more" if lacking else f"label {RARER_CLASS_TO_GATE - (rarer or 0)} more of that class"
    return Finding("labels", "failed", f"{because}; {more}", "advisory" if n >= LABELS_TO_ADVISE else "not")


def human_agreement_rule(evidence: Evidence) -> Finding:
    """Where people themselves hardly agree, no judge can be judged."""
    alpha = evidence.human_alpha
    if alpha is None or alpha.value is None:
        why = "fewer than two raters" if alpha is None else str(alpha.reason)
        return Finding("human_agreement", "not_available", f"agreement among people is unknown: {why}", "gating")
    floor = coefficient(HUMAN_ALPHA_FLOOR)
    says = f"people agree with each other at Krippendorff alpha {with_interval(alpha)}; below {floor}"
    if alpha.value >= HUMAN_ALPHA_FLOOR:
        return Finding("human_agreement", "met", f"{says} no judge could be judged", "gating")
    return Finding("human_agreement", "failed", f"{says} the slice is void: mend the guideline and label again", "not")


def absolute_agreement_rule(evidence: Evidence) -> Finding:
    """Chance-corrected agreement with the reference."""
    name = STATISTIC_NAMES[agreement_name(evidence.table)]
    estimate = evidence.agreement
    if estimate.value is None:
        return Finding("absolute_agreement", "not_available", f"{name} is undefined: {estimate.reason}", "advisory")
    needs = f"gating needs {coefficient(AGREEMENT_TO_GATE)}"
    says = f"{name} {with_interval(estimate)} against {reference_words(evidence.name)}: {needs}"
    if estimate.value < AGREEMENT_TO_GATE:
        leaves: Fitness = "advisory" if estimate.value >= AGREEMENT_TO_ADVISE else "not"
        return Finding("absolute_agreement", "failed", says, leaves, short=needs)
    bound = _agreement_value(evidence.worst(), evidence.reference_N) if evidence.n_missing else estimate.value
    if bound is not None and bound >= AGREEMENT_TO_GATE:
        return Finding("absolute_agreement", "met", says, "gating")
    at_the_bound = "" if bound is None else coefficient(bound, 3)
    return failed_at_the_bound("absolute_agreement", says, evidence.n_missing, at_the_bound)


def distance_rule(evidence: Evidence) -> Finding:
    """Whether the judge could stand in for one more person."""
    difference = evidence.distance
    if difference is None or difference.value is None or difference.low is None:
        one_rater = len(evidence.table.raters) < 2
        why = "fewer than two raters labelled these responses" if one_rater else _why_not(difference)
        leaves: Fitness = "gating" if one_rater else "advisory"
        return Finding("distance_to_humans", "not_available", f"no distance to people's own agreement: {why}", leaves)
    says = (
        f"judge-human minus human-human Krippendorff alpha is {with_interval(difference, 3)}: "
        f"the lower limit must be at least {coefficient(DISTANCE_FLOOR)}"
    )
    if difference.low < DISTANCE_FLOOR:
        near = difference.value >= DISTANCE_FLOOR
        return Finding("distance_to_humans", "failed", says, "advisory" if near else "not")
    if evidence.n_missing:
        worst = against_all_raters(evidence.worst(), evidence.drawing, "worst")[difference_name(evidence.table)]
        if worst.low is None or worst.low < DISTANCE_FLOOR:
            return failed_at_the_bound("distance_to_humans", says, evidence.n_missing, with_interval(worst, 3))
    return Finding("distance_to_humans", "met", says, "gating")


def _why_not(estimate: Estimate | None) -> str:
    return "there are too many different labels" if estimate is None else str(estimate.reason)


def _rarer_class(table: Table, reference_N: Values) -> tuple[int | None, str]:
    """Size of the rarest class and its words; None on an interval scale. A nominal class nobody gave is no class."""
    labels = table.scale.labels
    if table.scale.kind == "interval":
        return None, ""
    counts = np.bincount(reference_N[is_there(reference_N)], minlength=len(labels))
    at = [place for place in range(len(labels)) if table.scale.kind in ("binary", "ordinal") or counts[place]]
    if len(at) < 2:
        return 0, ", all of one class"
    rarest = min(at, key=lambda place: int(counts[place]))
    return int(counts[rarest]), f', {counts[rarest]} of the rarer class ("{labels[rarest]}")'


def _agreement_value(table: Table, reference_N: Values) -> float | None:
    """Kappa or alpha over all verdicts of a table."""
    reference, verdicts, _ = pooled(table, reference_N)
    if table.scale.kind == "interval":
        centre = float(np.nanmean(reference))
        found = alpha_of_moments(sums.gapped_pair_moments(reference - centre, verdicts - centre).sum(axis=0)[None])
    else:
        size = len(table.scale.labels)
        confusion = sums.pair_counts(reference, verdicts, size).sum(axis=0).reshape(1, size, size)
        ordinal = table.scale.kind == "ordinal"
        found = (
            alpha_of_coincidences(confusion + confusion.swapaxes(1, 2), "ordinal") if ordinal else sums.kappa(confusion)
        )
    return float(found[0]) if np.isfinite(found[0]) else None
