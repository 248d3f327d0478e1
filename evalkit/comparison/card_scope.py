"""What a card speaks of: a digest says whose verdicts it measured, its settings say which of them and how counted.

Each function gives the reason why a card says nothing of a metric; "" = it does.
"""

from typing import Any

from evalkit.core.card import JudgeCard
from evalkit.core.estimate import Slice
from evalkit.core.suite import MetricSpec

_IDENTITY = ("judge", "prompting", "order", "criterion")
"""Columns that say whose verdict a row is; a filter on them chooses the judge, not a part of the responses."""


def about_another_criterion(judge: str, card: JudgeCard, criterion: str) -> str:
    """A card on `safe` says nothing of `helpful`, though the verdicts lie in one file."""
    if not criterion or criterion in card.criteria:
        return ""
    about = ", ".join(card.criteria)
    return f"judge {judge}'s card holds it against people's {about}, not {criterion}: calibrate it on that criterion"


def takes_labels_together(judge: str, card: JudgeCard, metric: MetricSpec) -> str:
    """A card that takes a counted label, on either side, for one that does not count says nothing of the metric."""
    if _side(card, "judgements").get("field", "value") != "value":
        return f"judge {judge}'s card measured another field of its verdicts than the verdict itself"
    collapses = [_side(card, name).get("collapse") or {} for name in ("labels", "judgements")]
    if metric.reduce == "mean":
        if any(collapses) or card.scale.kind not in ("ordinal", "interval"):
            return f"judge {judge}'s card measured labels ({card.scale}), not the numbers that this metric is a mean of"
        return ""
    for collapse in collapses:
        counted = {collapse.get(label, label): label for label in metric.labels}
        for label, becomes in collapse.items():
            if label not in metric.labels and becomes in counted:
                return (
                    f'judge {judge}\'s card takes "{label}" and "{counted[becomes]}" for the same ("{becomes}"), and '
                    "this metric counts only one of them: calibrate with a collapse that keeps them apart"
                )
    return ""


def part_of_labels(card: JudgeCard, spoken_of: Slice) -> str:
    """The filter under which a card was made, where it is narrower than what the gate speaks of."""
    bare = {column.removeprefix("metadata.").removeprefix("tags."): value for column, value in spoken_of.items()}
    filters = {**_side(card, "labels").get("where", {}), **_side(card, "judgements").get("where", {})}
    narrower = {
        column: wanted for column, wanted in filters.items() if column not in _IDENTITY and bare.get(column) != wanted
    }
    return ", ".join(f"{column}={wanted}" for column, wanted in narrower.items())


def _side(card: JudgeCard, name: str) -> dict[str, Any]:
    """`labels` or `judgements` of the settings that the card was made with."""
    return card.spec.get(name) or {}
