"""Whether a judge's card holds for a gate, slice by slice (the card policy), and how far its judges may be believed."""

from collections.abc import Iterable
from datetime import datetime

from evalkit.comparison.card_scope import about_another_criterion, part_of_labels, takes_labels_together
from evalkit.comparison.decide import Standing, StandingOf
from evalkit.core.card import LABELS_TO_GATE, RARER_CLASS_TO_GATE, JudgeCard, SliceFitness
from evalkit.core.comparison import JudgeTrust
from evalkit.core.estimate import Slice
from evalkit.core.gate import Gate
from evalkit.core.manifest import BoundJudge
from evalkit.core.suite import MetricSpec
from evalkit.report.numbers import slice_text

_SHOWN = ("cohen_kappa", "krippendorff_alpha_nominal", "krippendorff_alpha_ordinal", "krippendorff_alpha_interval",
          "percent_agreement", "accuracy", "balanced_accuracy", "true_positive_rate", "true_negative_rate",
          "fleiss_kappa", "pearson")  # fmt: skip
_MAX_SHOWN = 16


def policy_of(gate: Gate, metric: MetricSpec) -> str:
    """`human`, `constructed` or `none`: what this gate asks of a judge's card."""
    return gate.needs_card or ("human" if metric.judge else "none")


def standing_by_card(
    gate: Gate, metric: MetricSpec, cards: tuple[JudgeCard, ...], bound: BoundJudge | None, now: datetime
) -> StandingOf:
    """Slice -> whether the metric's judge may decide there.

    Rules and people's labels always may. A judge may where its card speaks of what the metric counts, says `gating`, is
    in date, and rests on labels of the kind that the gate's policy asks for. bound: the judge as the run used it.
    cards: that judge's, best first; the first about the metric's criterion counts.
    """
    judge, policy = metric.judge, policy_of(gate, metric)
    if judge is None or policy == "none":
        return lambda wanted: Standing(holds=True)
    if not cards:
        return lambda wanted: Standing(False, _no_card(judge))
    criterion = metric.criterion or (bound.spec.criteria[0] if bound and len(bound.spec.criteria) == 1 else "")
    card = next((card for card in cards if not about_another_criterion(judge, card, criterion)), cards[0])
    problem = (
        _card_problem(judge, policy, card, now)
        or about_another_criterion(judge, card, criterion)
        or takes_labels_together(judge, card, metric)
    )
    if problem:
        return lambda wanted: Standing(False, problem)
    return lambda wanted: _standing(judge, card, metric, criterion, wanted)


def find_fitness(card: JudgeCard, wanted: Slice, criterion: str = "") -> SliceFitness | None:
    """The card's line for exactly this slice, of this criterion where the card keeps several apart."""
    # A suite reads `category` off a sample's metadata or tags; in a labels file it is the item's own column.
    bare = {column.removeprefix("metadata.").removeprefix("tags."): value for column, value in wanted.items()}
    acceptable = [bare] if len(card.criteria) == 1 else [{**bare, "criterion": criterion}]
    return next((line for line in card.fitness if line.slice in acceptable), None)


def judge_trust(judges: dict[str, BoundJudge], cards: dict[str, tuple[JudgeCard, ...]]) -> tuple[JudgeTrust, ...]:
    """One line per judge used in a run; `cards` by judge name."""
    return tuple(_trust(name, bound, next(iter(cards.get(name, ())), None)) for name, bound in sorted(judges.items()))


def _no_card(judge: str) -> str:
    return (
        f"judge {judge} has no card: nobody has checked it against people. Have about {LABELS_TO_GATE} of its answers "
        f"labelled, at least {RARER_CLASS_TO_GATE} of the rarer class, and run `evalkit calibrate`"
    )


def _card_problem(judge: str, policy: str, card: JudgeCard, now: datetime) -> str:
    """Why a card decides nothing in any slice; "" = it may."""
    if policy == "human" and card.labels.kind != "human":
        return f"judge {judge}'s card rests on labels made by construction, and this gate asks for human ones"
    if card.expires_at is not None and now > card.expires_at:
        return f"judge {judge}'s card expired on {card.expires_at:%Y-%m-%d}: calibrate it again"
    return ""


def _standing(judge: str, card: JudgeCard, metric: MetricSpec, criterion: str, wanted: Slice) -> Standing:
    """By the slice's own line, and by the line of the samples that the metric speaks of, where the card has one."""
    line = find_fitness(card, wanted, criterion)
    if line is None:
        return Standing(False, f"judge {judge} was not calibrated for {slice_text(wanted)}: its card has no such slice")
    # Of several values no line of a card speaks.
    where = {
        column: value if isinstance(value, str) else value[0]
        for column, value in metric.where.items()
        if isinstance(value, str) or len(value) == 1
    }
    spoken_of = find_fitness(card, {**where, **wanted}, criterion) if where else None
    for held in (line, spoken_of):
        if held is None:
            continue
        place = f" in {slice_text(held.slice)}" if set(held.slice) - {"criterion"} else ""
        if held.fit_for != "gating":
            return Standing(False, f"judge {judge}{place} is {held.because}")
        if any(rule.outcome == "failed" for rule in held.rules):
            return Standing(False, f"judge {judge}{place}: its card says gating, but a rule failed; calibrate it again")
    rests_on = part_of_labels(card, {**where, **wanted})
    if rests_on:
        return Standing(
            False, f"judge {judge}'s card rests on a part of the labels alone ({rests_on}): calibrate on all"
        )
    return Standing(True)


def _trust(name: str, bound: BoundJudge, card: JudgeCard | None) -> JudgeTrust:
    if card is None:
        because = "No card matches this judge's prompt, rubric, scale and model: nobody has checked it against people."
        return JudgeTrust(judge=name, judge_digest=bound.digest, fit_for="no card", because=because)
    overall = find_fitness(card, {}) or (card.fitness[0] if card.fitness else None)
    return JudgeTrust(
        judge=name,
        judge_digest=bound.digest,
        fit_for=overall.fit_for if overall else "not",
        because=overall.because if overall else "Its card decides no slice.",
        labels=card.labels.kind,
        figures=tuple(_figures(card)),
    )


def _figures(card: JudgeCard) -> Iterable[dict[str, object]]:
    overall = [line for line in card.estimates if set(line.slice) <= {"criterion"} and line.statistic in _SHOWN]
    unique = {(line.statistic, line.against): line for line in overall}
    return [line.model_dump(mode="json") for line in list(unique.values())[:_MAX_SHOWN]]
