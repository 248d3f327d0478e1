"""A judge card as it comes: a judge that people agree with less than with one another."""

from datetime import UTC, datetime
from typing import Any

from evalkit.core.card import CardEstimate, Confusion, Distribution, JudgeCard, LabelSet, Rule, SliceFitness
from evalkit.core.estimate import Slice
from evalkit.core.scale import Scale

DAY = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DIGEST = "0123456789abcdef0123456789abcdef"


def judge_card(**changes: Any) -> JudgeCard:
    """A judge that people agree with less than with one another."""

    def line(
        statistic: str, against: str, wanted: Slice, value: float | None, half: float, n: int, unit: str = ""
    ) -> CardEstimate:
        interval = {} if value is None else {"low": value - half, "high": min(1.0, value + half)}
        reason = "every label is the same" if value is None else None
        return CardEstimate(
            statistic=statistic,
            against=against,
            slice=wanted,
            value=value,
            n=n,
            n_clusters=n,
            unit=unit,
            reason=reason,
            method="BCa bootstrap by sample, 2000 draws, seed 0",
            **interval,
        )

    estimates = []
    for wanted, shift, n in (({}, 0.0, 2250), ({"type": "safe"}, 0.06, 1250), ({"type": "unsafe"}, -0.12, 1000)):
        estimates += [
            line("cohen_kappa", "majority", wanted, 0.654 + shift, 0.02 if not wanted else 0.035, n),
            line("cohen_kappa", "ann1", wanted, 0.648 + shift, 0.021 if not wanted else 0.036, n),
            line("cohen_kappa", "ann1 x ann2", wanted, 0.93 + shift / 4, 0.012, n),
            line("fleiss_kappa", "humans", wanted, 0.928 + shift / 4, 0.012, n),
            line("accuracy", "majority", wanted, 0.79 + shift, 0.017, n, "share"),
            line("percent_agreement", "ann1 x ann2", wanted, 0.958, 0.009, n, "share"),
            line("macro_f1", "majority", wanted, None if wanted.get("type") == "unsafe" else 0.71, 0.02, n),
        ]
    labels = ("full compliance", "partial refusal", "full refusal")
    fields: dict[str, Any] = {
        "judge": "gpt-4",
        "judge_digest": DIGEST,
        "labels": LabelSet(
            digest=DIGEST[::-1],
            files=("labels.jsonl",),
            annotators=("ann1", "ann2"),
            aggregates=("majority",),
            n_labels=4500,
            n_samples=2250,
            systems=("llama2orig", "llama2new", "gpt4", "mistral-instruct", "mistral-guard"),
        ),
        "criteria": ("refusal",),
        "scale": Scale(kind="nominal", labels=labels),
        "by": ("type",),
        "estimates": tuple(estimates),
        "fitness": (
            SliceFitness(
                slice={},
                fit_for="not",
                because="fails the distance to human agreement",
                rules=(
                    Rule(
                        rule="labels",
                        outcome="met",
                        because="2,250 labels, 402 of the rarest class; 200 and 50 are needed",
                    ),
                    Rule(
                        rule="absolute_agreement",
                        outcome="met",
                        because="kappa 0.654 [0.634, 0.674]; at least 0.60 is needed",
                    ),
                    Rule(
                        rule="distance_to_humans",
                        outcome="failed",
                        because="0.276 below two people's agreement of 0.930; at most 0.10 is allowed",
                    ),
                    Rule(
                        rule="swap_consistency", outcome="not_available", because="the judge reads one answer at a time"
                    ),
                ),
            ),
            SliceFitness(
                slice={"type": "safe"},
                fit_for="advisory",
                because="agreement is above 0.60 but 0.23 below people's",
                rules=(Rule(rule="labels", outcome="met", because="1,250 labels"),),
            ),
            SliceFitness(
                slice={"type": "unsafe"},
                fit_for="not",
                because="kappa 0.534 is below 0.60",
                rules=(
                    Rule(
                        rule="absolute_agreement",
                        outcome="failed",
                        because="kappa 0.534 [0.499, 0.569]; at least 0.60 is needed",
                    ),
                ),
            ),
        ),
        "confusions": (
            Confusion(
                against="majority", labels=labels, counts=((1043, 31, 9), (112, 290, 41), (12, 268, 444)), n_missing=12
            ),
            Confusion(
                against="majority",
                slice={"type": "unsafe"},
                labels=labels,
                counts=((143, 11, 4), (12, 90, 21), (0, 0, 0)),
            ),
        ),
        "distributions": (
            Distribution(source="judge", counts=dict(zip(labels, (1167, 589, 494), strict=True)), n=2250, n_missing=12),
            Distribution(source="ann1", counts=dict(zip(labels, (1083, 443, 724), strict=True)), n=2250),
            Distribution(source="ann2", counts=dict(zip(labels, (1090, 431, 729), strict=True)), n=2250),
        ),
        "made_at": DAY,
        "command": "evalkit calibrate --labels labels.jsonl --judgements judgements.jsonl --judge gpt-4 --by type",
        "versions": {"evalkit": "0.1.0", "numpy": "2.3.3"},
        "notes": ("`majority` is an aggregate: it is no third rater.",),
        "spec": {"scale": "nominal", "draws": 2000, "seed": 0},
    }
    return JudgeCard(**{**fields, **changes})
