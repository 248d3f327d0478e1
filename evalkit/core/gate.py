"""A gate, what was decided at it, and what follows for the exit code."""

from enum import IntEnum
from typing import Literal

from pydantic import Field

from evalkit.core.estimate import Estimate, Slice
from evalkit.core.noun import Noun

Verdict = Literal["pass", "regressed", "inconclusive", "invalid"]
WORST_FIRST: tuple[Verdict, ...] = ("regressed", "invalid", "inconclusive", "pass")


class Exit(IntEnum):
    """The exit codes: stable, one place."""

    PASSED = 0
    REGRESSED = 1
    INPUT = 2
    INCONCLUSIVE = 3
    INVALID = 4
    NO_BASELINE = 5
    OUR_BUG = 70
    INTERRUPTED = 130


class Gate(Noun):
    """One metric that a release must not make worse (or must hold)."""

    metric: str
    """`TASK.METRIC`, or `*`: every metric of the suite that is a share."""
    rule: Literal["no_worse_than", "at_least", "at_most"] = "no_worse_than"
    margin: float = Field(default=0.0, ge=0)
    """no_worse_than: the loss that is still accepted, in the metric's unit."""
    bound: float | None = None
    """at_least, at_most: the number one run's interval is held against."""
    by: tuple[str, ...] = ()
    """Slice columns."""
    required: tuple[Slice, ...] = ()
    """Slices that must show non-inferiority themselves; the overall always must."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    severity: Literal["blocking", "advisory"] = "blocking"
    needs_card: Literal["human", "constructed", "none"] | None = None
    """None = `human` for a judge's metric; rules need none."""
    max_missing: float = Field(default=0.02, ge=0, le=1)
    """Largest share of missing scores that is still decided on."""


class Decision(Noun):
    """What was decided at one gate in one slice."""

    gate: str
    """The gate's id: `metric rule`, stable across runs."""
    metric: str
    slice: Slice = {}
    outcome: Verdict | Literal["undecided"]
    """`undecided`: a slice that is not required and did not regress; said, not failed."""
    severity: Literal["blocking", "advisory"] = "blocking"
    required: bool = False
    """Overall and slices listed under `required`."""
    baseline: Estimate
    """With `at_least` and `at_most` it is shown and decides nothing."""
    candidate: Estimate
    difference: Estimate
    """candidate - baseline, in the metric's unit (not turned round when lower is better)."""
    better: Literal["higher", "lower"] = "higher"
    margin: float
    bound: float | None = None
    """at_least, at_most: what the candidate's value is held against."""
    lower_limit: float | None = None
    """no_worse_than: one-sided lower limit at 1 - alpha of the difference turned so that larger is better; passes
    above -margin. at_least, at_most: the candidate's one-sided limit on the bound's side, in the metric's unit."""
    p: float | None = None
    """One-sided p of "not worse"; None where nothing could be tested."""
    p_adjusted: float | None = None
    """Holm over all slices of the gate and the overall."""
    n_pairs: int
    smallest_detectable_drop: float | None = None
    """The drop this gate would call regressed with power .8 (adjusted, beyond the margin), in the metric's unit."""
    more_samples_needed: int | None = None
    because: str
    """One sentence: what decided."""
    beside: tuple[str, ...] = ()
    """Decisions on people's labels of the same answers, by metric."""
