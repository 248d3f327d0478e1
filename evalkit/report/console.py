"""The verdict for a terminal: one sentence and a table of gates, in plain lines."""

from collections import Counter

from evalkit.core.comparison import Comparison
from evalkit.core.gate import Decision
from evalkit.report.gates import OUTCOME_WORDS, worst_first
from evalkit.report.numbers import difference_text, direction, interval_text, p_text, slice_text, value_text
from evalkit.report.text import one_line

VERDICT_WORDS = {"pass": "PASS", "regressed": "REGRESSED", "inconclusive": "INCONCLUSIVE", "invalid": "INVALID"}
_MOST_LINES = 20
_HEADER = ("outcome", "metric", "slice", "baseline", "candidate", "difference", "reads as", "p adj.", "n")
_WIDEST = (20, 40, 30, 14, 14, 34, 11, 8, 8)


def summary_lines(comparison: Comparison) -> list[str]:
    """The verdict sentence, and what decided it, worst first; control characters in names are written as their codes.

    Listed are the overall and the required slices of each gate, and every slice that regressed, 20 at most; a last line
    counts the others.
    """
    word = VERDICT_WORDS[comparison.verdict]
    sentence = one_line(comparison.sentence, 600)
    lines = [sentence if sentence.upper().startswith(word) else f"{word}: {sentence}"]
    decisions = worst_first(comparison.decisions)
    telling = [found for found in decisions if found.required or found.outcome == "regressed"][:_MOST_LINES]
    if telling:
        lines += ["", *_table([_HEADER, *(_cells(decision) for decision in telling)])]
    if len(decisions) > len(telling):
        lines.append(f"and {_counted([found for found in decisions if found not in telling])}, all in gates.csv")
    lines += [f"note: {one_line(note, 400)}" for note in comparison.notes]
    return lines


def _counted(decisions: list[Decision]) -> str:
    """How the slices that are not listed came out."""
    outcomes = Counter(OUTCOME_WORDS[decision.outcome] for decision in decisions)
    return f"{len(decisions)} more slices (" + ", ".join(f"{n} {word}" for word, n in outcomes.items()) + ")"


def _cells(decision: Decision) -> tuple[str, ...]:
    advisory = " (adv.)" if decision.severity == "advisory" else ""
    difference = decision.difference
    return (
        OUTCOME_WORDS[decision.outcome] + advisory,
        decision.metric,
        slice_text(decision.slice),
        "" if decision.baseline is None else value_text(decision.baseline),
        value_text(decision.candidate),
        "" if difference is None else f"{difference_text(difference)} {interval_text(difference)}".strip(),
        "" if difference is None else direction(difference, decision.better),
        p_text(decision.p_adjusted),
        f"{decision.n_pairs:,}",
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns padded to their widest cell."""
    cut = [tuple(one_line(cell, widest) for cell, widest in zip(row, _WIDEST, strict=True)) for row in rows]
    widths = [max(len(row[column]) for row in cut) for column in range(len(_HEADER))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]
