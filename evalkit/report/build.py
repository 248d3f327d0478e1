"""Write the report of a comparison, and the page of a judge card: one HTML file each, CSVs beside the report.

report/report.html   opens from file://, loads nothing
report/gates.csv  report/metrics.csv  report/changed.csv
"""

import re
from pathlib import Path

from evalkit.core.card import JudgeCard
from evalkit.core.comparison import Comparison
from evalkit.report.agreement import agreement_slices, figures_as_estimates, main_statistic
from evalkit.report.cards import card_verdict, distribution_tables, missing_sentence, without_repetition
from evalkit.report.changed import changed_anchor, changed_metrics
from evalkit.report.console import VERDICT_WORDS
from evalkit.report.gates import gate_table
from evalkit.report.page import fill_page
from evalkit.report.plots import agreement_plot, difference_plots
from evalkit.report.provenance import arm_lines, flattened
from evalkit.report.slices import cost_rows, cost_words, slice_table
from evalkit.report.tables import CHANGED, GATES, METRICS, PRIVATE_FILE, write_tables
from evalkit.report.unseen import failures, unseen

REPORT, CARD = "report.html", "card.html"
_DEFAULT_ORDER = ("gates", "slices", "changed", "cost", "judges", "provenance")
SECTION_TITLES = {
    "gates": "Gates",
    "slices": "Slices",
    "changed": "Changed samples",
    "cost": "Cost and tokens",
    "judges": "Judges",
    "unseen": "What we could not see",
    "provenance": "Provenance",
}


def write_report(
    comparison: Comparison,
    folder: Path,
    *,
    template_folder: Path,
    numbers_only: bool = False,
    max_changed: int | None = None,
) -> Path:
    """Write report.html and its CSVs into `folder` (made if need be, for its owner alone); returns report.html's path.

    template_folder: where page.html, page.css and page.js lie.
    numbers_only: no prompt, answer or reason anywhere, in the CSVs neither; the page says so.
    max_changed: samples shown per metric and transition, the others stand in changed.csv alone; None = all there are.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_tables(comparison, folder, numbers_only=numbers_only)
    changed = changed_metrics(comparison, numbers_only=numbers_only, most_shown=max_changed)
    page = fill_page(
        template_folder,
        "page.html",
        comparison=comparison,
        verdict_word=VERDICT_WORDS[comparison.verdict],
        sentence=_without_word(comparison.sentence, VERDICT_WORDS[comparison.verdict]),
        numbers_only=numbers_only,
        cost=cost_words(comparison),
        sections=section_order(comparison),
        section_titles=SECTION_TITLES,
        gates=gate_table(comparison),
        plots=difference_plots(comparison),
        slices=slice_table(comparison),
        changed=changed,
        changed_anchors={metric.metric: changed_anchor(metric.metric) for metric in changed},
        costs=cost_rows(comparison),
        judges=[(trust, agreement_slices(figures_as_estimates(trust.figures))) for trust in comparison.judges],
        unseen=unseen(comparison),
        failures={"baseline": failures(comparison.baseline), "candidate": failures(comparison.candidate)},
        arms=arm_lines(comparison),
        provenance=list(flattened(comparison.provenance)),
        files={"gates": GATES, "metrics": METRICS, "changed": CHANGED},
    )
    return _write(folder / REPORT, page)


def write_card(card: JudgeCard, folder: Path, *, template_folder: Path) -> Path:
    """Write card.html into `folder` (made if need be, for its owner alone) and return its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    card = without_repetition(card)
    page = fill_page(
        template_folder,
        "card.html",
        card=card,
        verdict=card_verdict(card),
        missing=missing_sentence(card),
        agreement=agreement_slices(card.estimates, main_statistic(card.scale.kind, card.estimates)),
        plot=agreement_plot(card),
        distributions=distribution_tables(card),
        fitness_words={"gating": "fit for gating", "advisory": "advisory only", "not": "not fit"},
        tones={"gating": "pass", "advisory": "inconclusive", "not": "regressed"},
        settings=list(flattened(card.spec)),
        versions=list(flattened(card.versions)),
    )
    return _write(folder / CARD, page)


def section_order(comparison: Comparison) -> list[str]:
    """The sections to show. What could not be seen is never left out: it stands before the provenance, or last.

    Where nothing was compared at all, only the reason and the two runs are shown.
    """
    order = list(comparison.sections or _DEFAULT_ORDER)
    if not comparison.decisions and not comparison.metrics:
        return ["gates", "provenance"]
    place = order.index("provenance") if "provenance" in order else len(order)
    return [*order[:place], "unseen", *order[place:]]


def _without_word(sentence: str, word: str) -> str:
    """The sentence without the verdict's word in front, which the page writes large above it.

    >>> _without_word("REGRESSED: over-refusal rose.", "REGRESSED"), _without_word("Nothing moved.", "PASS")
    ('over-refusal rose.', 'Nothing moved.')
    """
    return re.sub(rf"^{word}(?:ED)?\b[\s:,.;\u2013\u2014-]*", "", sentence, flags=re.IGNORECASE) or sentence


def _write(path: Path, page: str) -> Path:
    # A lone surrogate cannot reach here: text.py writes it as its code. Strict on purpose.
    path.write_text(page, encoding="utf-8", newline="\n")
    path.chmod(PRIVATE_FILE)
    return path
