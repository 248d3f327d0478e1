"""What a calibration compares with what: `evalkit calibrate --spec FILE`, or made from the command's flags.

    labels: {file: human.jsonl, criterion: refusal, collapse: {2_full: refuse, 3_partial: refuse, 1_full: comply}}
    judgements: {file: judge.jsonl, judge: gpt-4}
    items: items.jsonl
    scale: binary:comply<refuse
    by: [language]

Reading the files and joining their rows is done elsewhere (read.py, join.py).
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from evalkit.core.noun import Noun
from evalkit.core.scale import Scale

Order = Literal["ab", "ba", "each"]

MAX_COLUMNS = 4
"""More slice columns than these make more combinations than anybody reads."""


def plain_text(value: Any) -> Any:
    """A JSON or YAML scalar as the text it is compared by; anything else unchanged (and refused by its field).

    >>> plain_text(3), plain_text(3.0), plain_text(2.5), plain_text(True), plain_text("yes")
    ('3', '3', '2.5', 'true', 'yes')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return value


def _scale_from_text(value: Any) -> Any:
    return Scale.parse(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(plain_text)]
"""Text; YAML may write a number."""

Where = dict[str, Text | tuple[Text, ...]]
"""Column -> the value, or the values, that a row must have. A `*` at the end stands for any ending."""


class LabelSide(Noun):
    """Which rows of the labels file count, and which of their fields is the label."""

    file: str | None = None
    """JSON lines (`.gz` too), absolute or relative to the `--data` folder; the flag `--labels` goes before it."""
    criterion: str | None = None
    """None = every criterion is a slice of its own."""
    field: str = "value"
    """The row's field that holds the label, e.g. `z` for a rater-standardised score."""
    where: Where = {}
    """Only rows with these values; a column of the row, or of its item (`language`, `meta.split`)."""
    collapse: dict[Text, Text] = {}
    """Label -> the label it counts as; others stay as they are."""


class VerdictSide(Noun):
    """Which rows of the verdicts file are the judge's, and which of their fields is the verdict."""

    file: str | None = None
    criterion: str | None = None
    """None = the same as the label's."""
    field: str = "value"
    where: Where = {}
    """As for labels. A response whose verdict is filtered out here is not compared at all; it is not missing."""
    collapse: dict[Text, Text] | None = None
    """None = as the labels are collapsed; {} = not at all."""
    null_as: Text | None = None
    """The label that an unreadable verdict (null) counts as. None = it is missing, and counted as missing."""
    judge: str | None = None
    """The row's `judge`, or `judge/prompting`. None = the only one there."""
    prompting: str | None = None
    """The row's `prompting`; None = the only one there."""


class CalibrationSpec(Noun):
    """All settings of one calibration; kept in the card as used."""

    labels: LabelSide = LabelSide()
    judgements: VerdictSide | None = None
    """None = people alone: how far they agree with each other."""
    items: str | None = None
    """The items file: its columns are the slices."""
    scale: Annotated[Scale, BeforeValidator(_scale_from_text)] | None = None
    """As on the command line (`ordinal:none<partial<full`). None = interval for numbers, nominal for text."""
    by: tuple[str, ...] = ()
    """Slice columns: `language`, `category`, `meta.NAME`, `system`. Each alone, and their combinations."""
    show_by: tuple[str, ...] = ()
    """Columns whose values are shown, each alone, and held to no rule: how an answer was made, how hard it is. A judge
    is not asked to be fit for each kind of mistake by itself."""
    order: Order | None = None
    """Pairwise verdicts in two presentation orders: one of them, or each (a slice of its own, and pooled)."""
    reference: str | None = None
    """What fitness is judged against. None = adjudicated, else gold, else majority or mean, else each annotator."""
    kind: Literal["human", "constructed"] = "human"
    """`constructed`: labels made by construction; the card never calls them human."""
    cluster: str = "item"
    """Samples that stand or fall together: `item` (several systems' answers to one item), a column, or `none`."""
    draws: int = Field(default=2000, ge=50)
    """Bootstrap draws."""
    level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _columns_can_be_read(self) -> "CalibrationSpec":
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("`by:` and `show_by:` name a column twice")
        if len(self.by) > MAX_COLUMNS:
            raise ValueError(f"`by:` takes at most {MAX_COLUMNS} columns")
        reserved = sorted({"criterion", "order"} & set(self.columns))
        if reserved:
            raise ValueError(f"`{reserved[0]}` is sliced by itself; leave it out of `by:` and `show_by:`")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that slices are made of."""
        return (*self.by, *self.show_by)

    @property
    def verdict_collapse(self) -> dict[str, str]:
        """How verdicts are collapsed: by their own map, or as the labels are."""
        if self.judgements is None or self.judgements.collapse is None:
            return self.labels.collapse
        return self.judgements.collapse
