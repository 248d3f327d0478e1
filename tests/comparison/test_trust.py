"""When a judge's card lets its metric decide."""

from datetime import UTC, datetime, timedelta

import pytest

from evalkit.comparison.trust import standing_by_card
from evalkit.core.card import JudgeCard, LabelSet, SliceFitness
from evalkit.core.gate import Gate
from evalkit.core.scale import Scale
from evalkit.core.suite import MetricSpec

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GATE = Gate(metric="t.refusal", margin=0.05)
METRIC = MetricSpec(name="refusal", scorer="judge:refusal", reduce="share", labels=("partial", "full"))


def card(fits: dict[tuple[tuple[str, str], ...], str], **changes) -> JudgeCard:
    """A card that is fit for so and so in each slice."""
    fitness = tuple(
        SliceFitness(slice=dict(where), fit_for=fit, rules=(), because=f"{fit}: why") for where, fit in fits.items()
    )
    labels = LabelSet(digest="d", files=(), annotators=("ann",), n_labels=400, n_samples=400)
    fields = {
        "schema": "evalkit.card/1",
        "judge": "refusal",
        "judge_digest": "j",
        "labels": labels,
        "criteria": ("refusal",),
        "scale": Scale.parse("nominal"),
        "estimates": (),
        "fitness": fitness,
        "made_at": NOW,
        "expires_at": NOW + timedelta(days=90),
    }
    return JudgeCard(**{**fields, **changes})


def holds(
    found: JudgeCard | None, wanted=None, metric: MetricSpec = METRIC, gate: Gate = GATE, now: datetime = NOW
) -> bool:
    return standing_by_card(gate, metric, found, now)(wanted or {}).holds


def test_a_rule_needs_no_card():
    assert holds(None, metric=MetricSpec(name="right", scorer="exact"))


def test_a_judge_needs_one_that_says_gating_in_the_very_slice():
    found = card({(): "gating", (("language", "ar"),): "advisory"})
    assert holds(found)
    assert not holds(found, {"language": "ar"})
    assert not holds(found, {"language": "sw"})
    assert not holds(None)


def test_the_samples_a_metric_speaks_of_must_hold_too_where_the_card_knows_them():
    metric = METRIC.model_copy(update={"where": {"metadata.meta.label": "unsafe"}})
    assert not holds(card({(): "gating", (("meta.label", "unsafe"),): "not"}), metric=metric)
    assert holds(card({(): "gating", (("meta.label", "unsafe"),): "gating"}), metric=metric)
    assert holds(card({(): "gating"}), metric=metric)


def test_an_expired_card_and_one_on_constructed_labels_decide_nothing():
    found = card({(): "gating"})
    assert not holds(found, now=NOW + timedelta(days=91))
    made_up = card({(): "gating"}, labels=found.labels.model_copy(update={"kind": "constructed"}))
    assert not holds(made_up)
    assert holds(made_up, gate=GATE.model_copy(update={"needs_card": "constructed"}))


@pytest.mark.parametrize(
    ("collapse", "expected"),
    [
        ({"none": "answers", "partial": "answers", "full": "declines"}, False),
        ({"none": "answers", "partial": "declines", "full": "declines"}, True),
        ({}, True),
    ],
)
def test_a_card_must_keep_apart_what_the_metric_counts_apart(collapse, expected):
    found = card({(): "gating"}, spec={"labels": {"collapse": collapse}, "judgements": {"collapse": None}})
    assert holds(found) is expected
