"""What a run would ask, cost and could find, printed before anything is asked."""

from pathlib import Path

from evalkit.cli.say import say
from evalkit.cli.tables import print_table
from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate
from evalkit.report.numbers import slice_text
from evalkit.report.text import one_line
from evalkit.runner.expect import expect_run
from evalkit.runner.run import RunSettings


def print_dry_run(loaded: LoadedSuite, candidate: Candidate, settings: RunSettings, cards: tuple[Path, ...]) -> None:
    """What a run would ask, cost and could find, and what is known of its judges. Raises what stops a run."""
    expected = expect_run(loaded, candidate, settings, cards)
    say(f"candidate {one_line(expected.candidate)}\n")
    print_table(
        ("task", "samples", "requests", "judge requests", "prompt tokens (about)", "output tokens (at most)"),
        [
            (
                task.task,
                f"{task.samples:,}",
                f"{task.requests:,}",
                f"{task.judge_requests:,}",
                f"{task.prompt_tokens:,}",
                f"{task.most_output_tokens:,}",
            )
            for task in expected.tasks
        ],
    )
    cost = (
        "unknown: the candidate has no price per token"
        if expected.most_cost_usd is None
        else f"about USD {expected.most_cost_usd:.3g} at most"
    )
    say(f"\ncost: {cost}, without what judges cost\n")
    for judge in expected.judges:
        say(f"judge {one_line(judge.judge)} ({one_line(judge.model)}): {one_line(judge.standing, 300)}")
    say("\nSmallest drop of a share that could be told from none (one-sided 5 %, power .8, a tenth differing):")
    print_table(
        ("metric", "slice", "n", "clusters", "drop"),
        [
            (
                found.metric,
                slice_text(found.slice),
                str(found.n),
                str(found.n_clusters),
                f"{100 * found.smallest_detectable_drop:.1f} points",
            )
            for found in expected.metrics
        ],
    )
    say("\nNothing was asked.\n")
