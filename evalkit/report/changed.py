"""Samples that changed sides: newly failing, newly passing, failing in both.

A page must open at once, so it holds at most `most_shown` samples per metric and transition and at most
MOST_CHARACTERS of people's text in all; what is left out is counted on the page and stands in changed.csv.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.core.comparison import Changed, Comparison, TransitionCount
from evalkit.core.digest import digest_of
from evalkit.report.gates import worst_first
from evalkit.report.text import ShownText, language_tag, shown_text, text_direction

MOST_CHARACTERS = 6_000_000
"""About 8 MB of page with markup: a mail gateway takes it and a browser opens it in a second."""
TRANSITION_WORDS = {
    "newly_failing": "newly failing",
    "newly_passing": "newly passing",
    "both_failing": "failing in both",
}


@dataclass(frozen=True)
class ChangedSample:
    """One sample, ready to be shown; texts are None when only numbers are wanted."""

    anchor: str
    name: str
    """Task, sample id and attempt."""
    sample: Changed
    lang: str | None
    direction: str
    prompt: ShownText | None = None
    target: ShownText | None = None
    baseline: ShownText | None = None
    candidate: ShownText | None = None
    baseline_reason: ShownText | None = None
    candidate_reason: ShownText | None = None


@dataclass(frozen=True)
class TransitionList:
    """Samples of one metric that made the same transition."""

    transition: str
    word: str
    samples: tuple[ChangedSample, ...]
    n: int
    """How many there are in all."""


@dataclass(frozen=True)
class ChangedMetric:
    """One metric's transitions."""

    anchor: str
    metric: str
    count: TransitionCount | None
    lists: tuple[TransitionList, ...]


def changed_metrics(comparison: Comparison, *, numbers_only: bool, most_shown: int | None) -> tuple[ChangedMetric, ...]:
    """Every metric with transitions, in the order of the gates."""
    gated = [decision.metric for decision in worst_first(comparison.decisions)]
    others = [*(count.metric for count in comparison.transitions), *(sample.metric for sample in comparison.changed)]
    counts = {count.metric: count for count in comparison.transitions}
    known = {*counts, *(sample.metric for sample in comparison.changed)}
    metrics = [metric for metric in dict.fromkeys([*gated, *others]) if metric in known]
    room = _Room(MOST_CHARACTERS)
    return tuple(
        _metric(comparison.changed, metric, counts.get(metric), numbers_only, most_shown, room) for metric in metrics
    )


def changed_anchor(metric: str) -> str:
    """The id of a metric's part of the section: the same in every report."""
    return f"changed-{digest_of(metric)[:10]}"


def sample_name(sample: Changed) -> str:
    """Task, sample id and (from the second on) attempt.

    >>> sample_name(Changed(metric="m", transition="newly_failing", key={"task": "qa", "sample_id": "s", "attempt": 1}))
    'qa / s, attempt 2'
    """
    task, sample_id, attempt = (sample.key.get(part) for part in ("task", "sample_id", "attempt"))
    name = " / ".join(str(part) for part in (task, sample_id) if part is not None)
    return f"{name}, attempt {attempt + 1}" if isinstance(attempt, int) and attempt > 0 else name


class _Room:
    """Characters of people's text that the page still has room for."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def take(self, sample: Changed) -> bool:
        texts = (
            sample.prompt,
            sample.baseline_text,
            sample.candidate_text,
            sample.baseline_reason,
            sample.candidate_reason,
        )
        self.left -= sum(len(text) for text in texts)
        return self.left >= 0


def _metric(
    changed: Iterable[Changed],
    metric: str,
    count: TransitionCount | None,
    numbers_only: bool,
    most_shown: int | None,
    room: _Room,
) -> ChangedMetric:
    lists = []
    mine = [sample for sample in changed if sample.metric == metric]
    for transition, word in TRANSITION_WORDS.items():
        found = [sample for sample in mine if sample.transition == transition]
        n = max(len(found), getattr(count, transition, 0))
        if numbers_only:
            shown = tuple(_without_text(sample) for sample in found)
        else:
            shown = tuple(_with_text(sample) for sample in found[:most_shown] if room.take(sample))
        if n:
            lists.append(TransitionList(transition, word, shown, n))
    return ChangedMetric(changed_anchor(metric), metric, count, tuple(lists))


def _without_text(sample: Changed) -> ChangedSample:
    anchor = f"sample-{digest_of([sample.metric, sample.transition, sample.key])[:10]}"
    return ChangedSample(
        anchor, sample_name(sample), sample, language_tag(sample.language), text_direction(sample.language)
    )


def _with_text(sample: Changed) -> ChangedSample:
    bare = _without_text(sample)
    return ChangedSample(
        anchor=bare.anchor,
        name=bare.name,
        sample=sample,
        lang=bare.lang,
        direction=bare.direction,
        prompt=shown_text(sample.prompt),
        target=shown_text("\n".join(sample.target)),
        baseline=shown_text(sample.baseline_text),
        candidate=shown_text(sample.candidate_text),
        baseline_reason=shown_text(sample.baseline_reason),
        candidate_reason=shown_text(sample.candidate_reason),
    )
