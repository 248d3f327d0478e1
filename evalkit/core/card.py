"""A judge's card: how well it agrees with people, per slice, and what it is therefore fit for."""

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from evalkit.core.estimate import Estimate, Slice
from evalkit.core.noun import Noun
from evalkit.core.scale import Scale

CARD_SCHEMA = "evalkit.card/1"

LABELS_TO_GATE, RARER_CLASS_TO_GATE = 200, 50
"""Labels in a slice, and of its rarer class, that a card needs for gating there (docs/design/0007-fitness.md)."""

Fitness = Literal["gating", "advisory", "not"]


class CardEstimate(Estimate):
    """One line of a card: which statistic, against whom, in which slice."""

    statistic: str
    """Plain name: `cohen_kappa`, `fleiss_kappa`, `krippendorff_alpha_ordinal`, `accuracy`, ..."""
    against: str
    """`humans` (all raters), `majority`, `adjudicated`, an annotator's name, or `A x B` for two annotators."""
    slice: Slice = {}


class Rule(Noun):
    """One rule of fitness in one slice."""

    rule: str
    """`labels`, `true_positive_rate`, `true_negative_rate`, `absolute_agreement`, `distance_to_humans`, ..."""
    outcome: Literal["met", "failed", "not_available"]
    because: str
    """One sentence with the figure, the floor, and what would change it."""


class SliceFitness(Noun):
    """What the judge is fit for in one slice, rule by rule."""

    slice: Slice = {}
    fit_for: Fitness
    rules: tuple[Rule, ...]
    because: str
    """One sentence."""


class Distribution(Noun):
    """How often each label (or which mean) one source gave in one slice."""

    source: str
    """`judge`, or an annotator's name."""
    slice: Slice = {}
    counts: dict[str, int] = {}
    """Label -> how often; empty on an interval scale."""
    mean: float | None = None
    n: int
    n_missing: int = 0


class Confusion(Noun):
    """Counts of reference labels (rows) against the judge's (columns)."""

    against: str
    slice: Slice = {}
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    n_missing: int = 0
    """Reference labels without a readable verdict."""


class LabelSet(Noun):
    """The labels a card rests on."""

    digest: str
    files: tuple[str, ...]
    kind: Literal["human", "constructed"] = "human"
    """`constructed`: labels made by construction; never called human."""
    annotators: tuple[str, ...]
    aggregates: tuple[str, ...] = ()
    n_labels: int
    n_samples: int
    systems: tuple[str, ...] = ()


class JudgeCard(Noun):
    """The whole card; written as `card.json`."""

    schema_: str = Field(default=CARD_SCHEMA, alias="schema", serialization_alias="schema")
    judge: str | None
    """None = no verdicts: human-human agreement alone."""
    judge_digest: str | None
    labels: LabelSet
    criteria: tuple[str, ...]
    scale: Scale
    by: tuple[str, ...] = ()
    estimates: tuple[CardEstimate, ...]
    fitness: tuple[SliceFitness, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    seed: int = 0
    made_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    command: str = ""
    versions: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    """What was left out or merged, in words."""
    spec: dict[str, Any] = {}
    """The calibration's settings as used."""
