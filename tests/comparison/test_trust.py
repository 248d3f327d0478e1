"""When a judge's card lets its metric decide."""

from datetime import UTC, datetime, timedelta

import pytest

from evalkit.comparison.trust import standing_by_card
from evalkit.core.card import JudgeCard, LabelSet, Rule, SliceFitness
from evalkit.core.gate import Gate
from evalkit.core.judge import JudgeSpec, RecordedVerdicts
from evalkit.core.manifest import BoundJudge
from evalkit.core.scale import Scale
from evalkit.core.suite import MetricSpec

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GATE = Gate(metric="t.refusal", margin=0.05)
BOUND = BoundJudge(
    spec=JudgeSpec(
        name="refusal",
        criteria=("refusal",),
        method="recorded",
        scale=Scale.parse("nominal:none<partial<full"),
        recorded=RecordedVerdicts(file="judge.jsonl", judge="gpt-4"),
    ),
    digest="j",
)
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
    return standing_by_card(gate, metric, () if found is None else (found,), BOUND, now)(wanted or {}).holds


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
        ({"partial": "full"}, True),
        ({"none": "full"}, False),
        ({}, True),
    ],
)
def test_a_card_must_keep_apart_what_the_metric_counts_apart(collapse, expected):
    found = card({(): "gating"}, spec={"labels": {"collapse": collapse}, "judgements": {"collapse": None}})
    assert holds(found) is expected


def test_a_card_on_another_criterion_says_nothing():
    assert not holds(card({(): "gating"}, criteria=("helpfulness",)))
    # Not even where its settings held the judge's refusal against people's helpfulness.
    named = {"labels": {}, "judgements": {"criterion": "refusal"}}
    assert not holds(card({(): "gating"}, criteria=("helpfulness",), spec=named))


def test_of_several_cards_the_one_about_the_criterion_counts():
    cards = (card({(): "gating"}, criteria=("tone",)), card({(): "gating"}))
    assert standing_by_card(GATE, METRIC, cards, BOUND, NOW)({}).holds


def test_a_card_on_labels_says_nothing_of_a_mean():
    mean = METRIC.model_copy(update={"reduce": "mean", "labels": ()})
    assert not holds(card({(): "gating"}), metric=mean)
    assert holds(card({(): "gating"}, scale=Scale.parse("ordinal:1<2<3")), metric=mean)
    collapsed = {"labels": {"collapse": {"1": "low", "2": "low", "3": "high"}}}
    assert not holds(card({(): "gating"}, scale=Scale.parse("ordinal:low<high"), spec=collapsed), metric=mean)


def test_a_card_made_on_a_part_of_the_labels_holds_for_that_part_alone():
    spec = {"labels": {"where": {"meta.label": "unsafe"}}, "judgements": {"where": {"judge": "gpt-4"}}}
    assert not holds(card({(): "gating"}, spec=spec))
    metric = METRIC.model_copy(update={"where": {"metadata.meta.label": "unsafe"}})
    assert holds(card({(): "gating"}, spec=spec), metric=metric)


def test_a_card_that_contradicts_itself_decides_nothing():
    failed = Rule(rule="labels", outcome="failed", because="too few")
    edited = card({(): "gating"}).fitness[0].model_copy(update={"rules": (failed,)})
    assert not holds(card({}, fitness=(edited,)))
