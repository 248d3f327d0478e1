"""A judge card as its page shows it: the verdict on the judge in one sentence, and its tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from evalkit.core.card import CardEstimate, Confusion, Distribution, JudgeCard, SliceFitness
from evalkit.core.estimate import Slice
from evalkit.report.agreement import among_humans
from evalkit.report.numbers import slice_text

_MOST_NAMED = 8
_Sliced = TypeVar("_Sliced", CardEstimate, SliceFitness, Confusion, Distribution)


@dataclass(frozen=True)
class CardVerdict:
    """The page's first line."""

    word: str
    tone: Literal["pass", "inconclusive", "regressed", "plain"]
    sentence: str


@dataclass(frozen=True)
class ConfusionRow:
    """One reference label: counts, and shares of the row in per cent (None where the row is empty)."""

    label: str
    counts: tuple[int, ...]
    shares: tuple[int | None, ...]
    n: int


@dataclass(frozen=True)
class DistributionTable:
    """Who gave which label how often, in one slice."""

    where: str
    labels: tuple[str, ...]
    rows: tuple[Distribution, ...]


def card_verdict(card: JudgeCard) -> CardVerdict:
    """What the judge may be used for, and where."""
    if card.judge is None:
        people = f"{len(card.labels.annotators)} annotators, {card.labels.n_samples:,} samples"
        words = f"{people}: how far people agree with one another."
        return CardVerdict("HUMAN AGREEMENT", "plain", words)
    if not card.fitness:
        return CardVerdict("NOT RATED", "inconclusive", f"No rule of fitness was applied to {card.judge}.")
    slices = {
        fit_for: [slice_text(found.slice) for found in card.fitness if found.fit_for == fit_for]
        for fit_for in ("gating", "advisory", "not")
    }
    phrases = {"gating": "fit for gating in", "advisory": "advisory in", "not": "not fit in"}
    named = [f"{phrases[fit_for]}: {_named(where, card)}" for fit_for, where in slices.items() if where]
    sentence = f"{card.judge} is {'; '.join(named)}."
    if len(slices["gating"]) == len(card.fitness):
        return CardVerdict("FIT FOR GATING", "pass", sentence)
    if slices["gating"]:
        return CardVerdict("FIT IN PART", "inconclusive", sentence)
    overall = next((found.fit_for for found in card.fitness if not found.slice), None)
    if overall == "advisory" or (overall is None and slices["advisory"]):
        return CardVerdict("ADVISORY ONLY", "inconclusive", sentence)
    return CardVerdict("NOT FIT FOR GATING", "regressed", sentence)


def without_repetition(card: JudgeCard) -> JudgeCard:
    """The card without the slices that only repeat another: with one criterion, `criterion=x` is the overall again."""
    if len(card.criteria) != 1:
        return card

    def told_once(lines: tuple[_Sliced, ...]) -> tuple[_Sliced, ...]:
        others = [line.slice for line in lines if "criterion" not in line.slice]
        return tuple(line for line in lines if "criterion" not in line.slice or _bare(line.slice) not in others)

    return card.model_copy(
        update={
            "estimates": told_once(card.estimates),
            "fitness": told_once(card.fitness),
            "confusions": told_once(card.confusions),
            "distributions": told_once(card.distributions),
        }
    )


def missing_sentence(card: JudgeCard) -> str:
    """How many samples have no readable verdict, in one sentence; empty for a card of humans alone."""
    if card.judge is None:
        return ""
    verdicts = [found for found in card.distributions if found.source in ("judge", card.judge)]
    counted: list[Distribution | CardEstimate] = [
        *verdicts,
        *(found for found in card.estimates if not among_humans(found)),
    ]
    overall = [(found.n_missing, found.n) for found in counted if not found.slice]
    if not any(found.n_missing for found in counted):
        return "No verdict is missing."
    if not overall:
        return "Some verdicts could not be read: they are counted per slice below."
    missing, n = max(overall)
    return (
        f"{missing:,} of {missing + n:,} samples have no readable verdict; agreement is computed over the other {n:,}."
    )


def failed_rules(fitness: SliceFitness) -> str:
    """The rules that a judge fails in a slice, in words; else those that could not be applied; else empty."""
    words = {"failed": "fails", "not_available": "could not be held to"}
    for outcome, verb in words.items():
        names = [rule.rule.replace("_", " ") for rule in fitness.rules if rule.outcome == outcome]
        if names:
            return f"{verb} {', '.join(names)}"
    return ""


def confusion_rows(confusion: Confusion) -> tuple[ConfusionRow, ...]:
    """Counts with shares of each row.

    >>> confusion_rows(Confusion(against="majority", labels=("no", "yes"), counts=((3, 1), (0, 0))))[0].shares
    (75, 25)
    """
    rows = []
    for label, counts in zip(confusion.labels, confusion.counts, strict=True):
        n = sum(counts)
        shares = tuple(round(100 * count / n) if n else None for count in counts)
        rows.append(ConfusionRow(label, counts, shares, n))
    return tuple(rows)


def distribution_tables(card: JudgeCard) -> tuple[DistributionTable, ...]:
    """One table per slice, the overall first; labels in the scale's order, others after them."""
    slices: dict[str, list[Distribution]] = {}
    for found in sorted(card.distributions, key=lambda found: len(found.slice)):
        slices.setdefault(slice_text(found.slice), []).append(found)
    return tuple(DistributionTable(where, _labels(card, rows), tuple(rows)) for where, rows in slices.items())


def _labels(card: JudgeCard, rows: Iterable[Distribution]) -> tuple[str, ...]:
    given = dict.fromkeys(label for row in rows for label in row.counts)
    return tuple(dict.fromkeys([*(label for label in card.scale.labels if label in given), *given]))


def _bare(wanted: Slice) -> Slice:
    return {column: value for column, value in wanted.items() if column != "criterion"}


def _named(slices: list[str], card: JudgeCard) -> str:
    if len(slices) == len(card.fitness) > _MOST_NAMED:
        return f"all {len(slices)} slices"
    named = ", ".join(slices[:_MOST_NAMED])
    return named if len(slices) <= _MOST_NAMED else f"{named} and {len(slices) - _MOST_NAMED} more"
