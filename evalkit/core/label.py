"""A person's label on a response, as it stands in a labels file."""

from typing import Any

from pydantic import ConfigDict

from evalkit.core.noun import Noun

AGGREGATE_ANNOTATORS = ("majority", "adjudicated", "gold")
"""Names that are no person; names that begin with `mean` are aggregates too."""


class Label(Noun):
    """One row of a labels file. Fields beyond these are kept in `model_extra`: a spec may name one of them."""

    model_config = ConfigDict(extra="allow")

    item_id: str
    system: str = ""
    system_b: str | None = None
    """Pairwise: the second response; `value` is then `a`, `b` or `tie`."""
    annotator: str
    """A pseudonym; `*_slot_k` is a position, not a person."""
    criterion: str
    value: Any
    """A label (text) or a number; None = skipped."""
    task: str | None = None
    attempt: int | None = None
    response_digest: str | None = None
    """The judged text; absent in a file: joined by item and system."""
    guideline_digest: str | None = None
    skip: str | None = None
    flag: str | None = None
    active_s: float | None = None
    at: str | None = None
    inclusion_probability: float | None = None


def is_aggregate(annotator: str) -> bool:
    """Whether an annotator's name stands for a summary of several people; such a row is never an extra rater.

    >>> [is_aggregate(name) for name in ("mean_of_annotators", "gold", "annotator1")]
    [True, True, False]
    """
    return annotator in AGGREGATE_ANNOTATORS or annotator.startswith("mean")


def is_slot(annotator: str) -> bool:
    """Whether a name is a position (`rater_slot_2`) that different people may have filled.

    >>> is_slot("rater_slot_2"), is_slot("annotator2")
    (True, False)
    """
    head, _, last = annotator.rpartition("_slot_")
    return bool(head) and last.isdigit()
