"""Comparisons as realistic as they come: an unfit judge beside people's labels, many languages, hostile text."""

from typing import Any

from evalkit.core.comparison import Comparison, JudgeTrust, MetricRow, RunSummary, TransitionCount
from evalkit.core.estimate import Estimate, Slice
from tests.report.card_samples import DAY, DIGEST, judge_card
from tests.report.changed_samples import changed
from tests.report.gate_samples import UNFIT, decisions, difference, share


def run(name: str, run_id: str, **counts: int) -> RunSummary:
    """One arm."""
    return RunSummary(
        run_id=run_id,
        name=name,
        model=f"meta-llama/{name}",
        engine="replay",
        revision="2023-07-18" if name == "llama2orig" else None,
        started_at=DAY,
        counts={"samples": 450, "responses": 450, **counts},
        digests={"suite": DIGEST, "data:xstest": DIGEST[::-1], "candidate": name[0] * 4 + DIGEST[4:]},
    )


def metric_row(metric: str, wanted: Slice, estimates: tuple[Estimate, Estimate, Estimate], **changes: Any) -> MetricRow:
    """One metric in one slice."""
    fields: dict[str, Any] = {
        "task": metric.split(".")[0],
        "kind": "safety",
        "scorer": metric.split(".")[1],
        "better": "higher",
    }
    baseline, candidate, change = estimates
    return MetricRow(
        metric=metric, slice=wanted, baseline=baseline, candidate=candidate, difference=change, **{**fields, **changes}
    )


def metrics() -> tuple[MetricRow, ...]:
    """Quality, safety, cost and tokens, sliced by language."""
    rows = [
        metric_row(
            "xstest.refuses_unsafe_by_judge",
            {},
            (share(0.855, 0.049, 200), share(0.73, 0.061, 200, missing=3), difference(-0.125, -0.176, -0.074, 200)),
        ),
        metric_row(
            "xstest.refuses_unsafe_by_people",
            {},
            (share(1.0, 0.019, 200), share(1.0, 0.019, 200), difference(0.0, -0.0134, 0.0134, 200)),
        ),
        metric_row(
            "xstest.answers_safe_prompts",
            {},
            (share(0.404, 0.06, 250), share(0.704, 0.056, 250), difference(0.3, 0.232, 0.364, 250)),
        ),
        metric_row(
            "chat.correct",
            {},
            (share(0.81, 0.018, 1800), share(0.808, 0.018, 1800), difference(-0.002, -0.012, 0.008, 1800)),
            kind="quality",
        ),
    ]
    for language, value, low, high, n in (
        ("ar", -0.081, -0.118, -0.046, 300),
        ("de", 0.013, -0.009, 0.036, 400),
        ("hi", 0.042, -0.083, 0.167, 24),
        ("ja", -0.01, -0.045, 0.024, 300),
    ):
        rows.append(
            metric_row(
                "chat.correct",
                {"language": language},
                (share(0.81, 0.04, n), share(0.81 + value, 0.05, n), difference(value, low, high, n)),
                kind="quality",
            )
        )
    rows.append(
        metric_row(
            "chat.output_tokens",
            {},
            (
                Estimate(value=182.4, low=176.1, high=188.7, n=1800, unit="tokens", method="t"),
                Estimate(value=171.9, low=166.0, high=177.8, n=1800, unit="tokens", method="t"),
                difference(-10.5, -14.2, -6.8, 1800, unit="tokens", method="paired t"),
            ),
            kind="cost",
            better="lower",
        )
    )
    rows.append(
        metric_row(
            "chat.cost",
            {},
            (
                Estimate(value=0.00213, low=0.00206, high=0.0022, n=1800, unit="usd", method="t"),
                Estimate(value=0.00184, low=0.00178, high=0.0019, n=1800, unit="usd", method="t"),
                difference(-0.00029, -0.00036, -0.00022, 1800, unit="usd", method="paired t"),
            ),
            kind="cost",
            better="lower",
        )
    )
    return tuple(rows)


def judges() -> tuple[JudgeTrust, ...]:
    """One unfit judge, one without a card."""
    figures = [estimate.model_dump() for estimate in judge_card().estimates if not estimate.slice]
    return (
        JudgeTrust(
            judge="gpt-4",
            judge_digest=DIGEST,
            fit_for="not",
            because=f"{UNFIT}.",
            labels="human",
            figures=tuple(figures),
        ),
        JudgeTrust(
            judge="tone",
            judge_digest=DIGEST[::-1],
            fit_for="no card",
            because="tone has no card: label 200 samples (50 of the rarer class) and run `evalkit calibrate tone`.",
        ),
    )


def comparison(**changes: Any) -> Comparison:
    """A regressed release with an inconclusive gate."""
    fields: dict[str, Any] = {
        "verdict": "regressed",
        "exit_code": 1,
        "sentence": "REGRESSED: do not release llama2new: chat.correct in language=ar fell by 8.1 points "
        "[−11.8, −4.6], beyond the margin of 2.0 points; 1 of 6 gates regressed, 1 inconclusive.",
        "suite": "xstest",
        "suite_version": 2,
        "baseline": run("llama2orig", "20261119-0900-llama2orig"),
        "candidate": run("llama2new", "20261120-0912-llama2new", failed_candidate=4, failed_judge=3),
        "decisions": decisions(),
        "metrics": metrics(),
        "transitions": (
            TransitionCount(
                metric="chat.correct",
                newly_failing=61,
                newly_passing=57,
                both_failing=285,
                both_passing=1397,
                missing=0,
                shown=5,
            ),
            TransitionCount(
                metric="xstest.refuses_unsafe_by_judge",
                newly_failing=26,
                newly_passing=1,
                both_failing=28,
                both_passing=145,
                missing=3,
                shown=1,
            ),
        ),
        "judges": judges(),
        "made_at": DAY,
        "command": "evalkit compare runs/20261119-0900-llama2orig runs/20261120-0912-llama2new --report release",
        "provenance": {
            "git_commit": "8c1f0e2",
            "versions": {"evalkit": "0.1.0", "python": "3.11.9"},
            "hardware": {"cpu": "8 cores", "memory_gib": 31},
            "seeds": {"bootstrap": 0},
        },
        "changed": changed(),
    }
    return Comparison(**{**fields, **changes})


def small_comparison(**changes: Any) -> Comparison:
    """One gate, one changed sample: the golden page."""
    return comparison(
        **{
            "decisions": (decisions()[1], decisions()[2]),
            "metrics": metrics()[:2],
            "changed": changed()[-1:],
            "transitions": comparison().transitions[1:],
            "judges": (),
            "verdict": "inconclusive",
            "exit_code": 3,
            "sentence": f"INCONCLUSIVE: xstest.refuses_unsafe_by_judge cannot be decided: {UNFIT}.",
            **changes,
        }
    )
