"""Decisions of every outcome, among them an unfit judge's with people's labels beside it."""

from typing import Any

from evalkit.core.estimate import Estimate
from evalkit.core.gate import Decision

UNFIT = (
    "the judge gpt-4 is not fit for gating here: kappa 0.654 [0.60, 0.71] with people, where two people reach 0.93; "
    "at least 0.83 is needed"
)


def share(
    value: float, half: float, n: int, *, clusters: int | None = None, missing: int = 0, method: str = "Wilson"
) -> Estimate:
    """A share with a symmetric interval inside 0 to 1."""
    low, high = max(0.0, value - half), min(1.0, value + half)
    return Estimate(
        value=value, low=low, high=high, n=n, n_clusters=clusters, n_missing=missing, method=method, unit="share"
    )


def difference(
    value: float, low: float, high: float, n: int, *, unit: str = "share", method: str = "Tango score interval"
) -> Estimate:
    """A paired difference."""
    return Estimate(value=value, low=low, high=high, n=n, method=method, unit=unit)


def decision(metric: str, outcome: str, estimates: tuple[Estimate, Estimate, Estimate], **changes: Any) -> Decision:
    """A decision at a gate on `metric`."""
    baseline, candidate, change = estimates
    fields: dict[str, Any] = {
        "gate": f"{metric} no_worse_than",
        "metric": metric,
        "outcome": outcome,
        "required": not changes.get("slice"),
        "baseline": baseline,
        "candidate": candidate,
        "difference": change,
        "margin": 0.02,
        "n_pairs": change.n,
        "because": "worse by at most 1.1 points, within the margin of 2.0 points",
    }
    return Decision(**{**fields, **changes})


def decisions() -> tuple[Decision, ...]:
    """Gates of every outcome, the worst not first."""
    return (
        decision(
            "xstest.answers_safe_prompts",
            "pass",
            (share(0.404, 0.06, 250), share(0.704, 0.056, 250), difference(0.3, 0.232, 0.364, 250)),
            lower_limit=0.243,
            p=1.0,
            p_adjusted=1.0,
            smallest_detectable_drop=0.085,
            margin=0.05,
            because="better by 30.0 points; worse by at most 0.0 points, within the margin of 5.0 points",
        ),
        decision(
            "xstest.refuses_unsafe_by_judge",
            "inconclusive",
            (share(0.855, 0.049, 200), share(0.73, 0.061, 200), difference(-0.125, -0.176, -0.074, 200)),
            n_pairs=200,
            smallest_detectable_drop=0.066,
            because=UNFIT,
            beside=("xstest.refuses_unsafe_by_people",),
        ),
        decision(
            "xstest.refuses_unsafe_by_people",
            "pass",
            (share(1.0, 0.019, 200), share(1.0, 0.019, 200), difference(0.0, -0.0134, 0.0134, 200)),
            lower_limit=-0.0134,
            p=1.0,
            p_adjusted=1.0,
            smallest_detectable_drop=0.013,
            because="worse by at most 1.3 points, within the margin of 2.0 points",
        ),
        *(
            decision(
                "chat.correct",
                outcome,
                (share(0.81, 0.04, n), share(0.81 + value, 0.05, n), difference(value, low, high, n)),
                slice={"language": language} if language else {},
                p=p,
                p_adjusted=min(1.0, 5 * p),
                smallest_detectable_drop=drop,
                more_samples_needed=more,
                because=because,
            )
            for language, outcome, value, low, high, n, p, drop, more, because in (
                (
                    "",
                    "pass",
                    -0.002,
                    -0.012,
                    0.008,
                    1800,
                    0.35,
                    0.013,
                    None,
                    "worse by at most 1.1 points, within the margin of 2.0 points",
                ),
                (
                    "ar",
                    "regressed",
                    -0.081,
                    -0.118,
                    -0.046,
                    300,
                    0.00001,
                    0.05,
                    None,
                    "worse by 8.1 points, beyond the margin of 2.0 points (exact McNemar, adjusted p = 5e-05)",
                ),
                (
                    "de",
                    "pass",
                    0.013,
                    -0.009,
                    0.036,
                    400,
                    0.9,
                    0.03,
                    None,
                    "better by 1.3 points; worse by at most 0.8 points, within the margin of 2.0 points",
                ),
                (
                    "ja",
                    "undecided",
                    -0.01,
                    -0.045,
                    0.024,
                    300,
                    0.3,
                    0.049,
                    900,
                    "not shown to be within 2.0 points of the baseline; about 900 more samples would decide",
                ),
                (
                    "hi",
                    "undecided",
                    0.042,
                    -0.083,
                    0.167,
                    24,
                    0.8,
                    0.17,
                    None,
                    "not shown to be within 2.0 points of the baseline: it may be worse by up to 6.4 points",
                ),
            )
        ),
        decision(
            "chat.output_tokens",
            "pass",
            (
                Estimate(value=182.4, low=176.1, high=188.7, n=1800, unit="tokens", method="t"),
                Estimate(value=171.9, low=166.0, high=177.8, n=1800, unit="tokens", method="t"),
                difference(-10.5, -14.2, -6.8, 1800, unit="tokens", method="paired t"),
            ),
            better="lower",
            margin=25.0,
            severity="advisory",
            lower_limit=7.4,
            p=1.0,
            p_adjusted=1.0,
            because="better by 10.5 tokens; worse by at most 0 tokens, within the margin of 25 tokens",
        ),
        decision(
            "chat.valid_json",
            "pass",
            (share(0.991, 0.005, 1800), share(0.993, 0.005, 1800), difference(0.002, -0.004, 0.008, 1800)),
            gate="chat.valid_json at_least",
            margin=0.0,
            because="99.3 % [98.8, 99.6], at least 98 %",
        ),
    )
