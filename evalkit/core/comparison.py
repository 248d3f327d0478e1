"""Two runs held beside each other: everything the result file and the report show."""

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from evalkit.core.estimate import Estimate, Slice
from evalkit.core.gate import Decision, Verdict
from evalkit.core.noun import Noun

RESULT_SCHEMA = "evalkit.result/1"


class RunSummary(Noun):
    """One arm, as the report names it."""

    run_id: str
    name: str
    model: str
    engine: str
    revision: str | None = None
    started_at: AwareDatetime
    counts: dict[str, int]
    """samples, responses, and failures by blame (`failed_candidate`, `failed_system`, `failed_judge`)."""
    partial: dict[str, Any] | None = None
    """The filter of a partial run; None = whole."""
    digests: dict[str, str] = {}


class MetricRow(Noun):
    """One metric in one slice, both arms and their difference."""

    metric: str
    """`TASK.METRIC`."""
    task: str
    kind: Literal["quality", "safety", "cost", "latency"]
    scorer: str
    slice: Slice = {}
    better: Literal["higher", "lower"]
    baseline: Estimate
    candidate: Estimate
    difference: Estimate


class Changed(Noun):
    """A sample whose score changed (or failed in both), with what a reader needs to see why."""

    metric: str
    transition: Literal["newly_failing", "newly_passing", "both_failing"]
    key: dict[str, Any]
    slices: Slice = {}
    """The sample's slice columns."""
    language: str | None = None
    prompt: str = ""
    target: tuple[str, ...] = ()
    baseline_text: str = ""
    candidate_text: str = ""
    baseline_score: str = ""
    """As shown: a label, or a number with its unit, or the failure's kind."""
    candidate_score: str = ""
    baseline_reason: str = ""
    candidate_reason: str = ""


class TransitionCount(Noun):
    """How many samples of a metric changed side."""

    metric: str
    newly_failing: int
    newly_passing: int
    both_failing: int
    both_passing: int
    missing: int
    shown: int = 0
    """How many of them stand in the report."""


class JudgeTrust(Noun):
    """How far a judge used in these runs may be believed."""

    judge: str
    judge_digest: str
    fit_for: Literal["gating", "advisory", "not", "no card"]
    because: str
    """The card's sentence, or what is missing and how to get it."""
    labels: Literal["human", "constructed", "none"] = "none"
    figures: tuple[dict[str, Any], ...] = ()
    """A few estimates of the card: statistic, against, slice and the Estimate's fields."""


class Comparison(Noun):
    """What `compare` found. `result.json` holds all but `changed` (people's text)."""

    schema_: str = Field(default=RESULT_SCHEMA, alias="schema", serialization_alias="schema")
    verdict: Verdict
    exit_code: int
    sentence: str
    """The verdict in one sentence, as the first line of the report."""
    suite: str
    suite_version: int
    baseline: RunSummary
    candidate: RunSummary
    decisions: tuple[Decision, ...]
    metrics: tuple[MetricRow, ...] = ()
    transitions: tuple[TransitionCount, ...] = ()
    judges: tuple[JudgeTrust, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know: partial runs, dropped samples, numbers only."""
    made_at: AwareDatetime
    command: str = ""
    provenance: dict[str, Any] = {}
    sections: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
