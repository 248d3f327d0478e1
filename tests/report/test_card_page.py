from pathlib import Path

import pytest

from evalkit.core.card import CardEstimate, JudgeCard, SliceFitness
from evalkit.report.agreement import agreement_slices, among_humans, main_statistic
from evalkit.report.build import write_card
from evalkit.report.cards import card_verdict
from tests.report.card_samples import judge_card
from tests.report.changed_samples import HOSTILE
from tests.report.pages import Page


def written(card: JudgeCard, folder: Path, templates: Path) -> Page:
    return Page(write_card(card, folder, template_folder=templates).read_text(encoding="utf-8"))


def humans_alone() -> JudgeCard:
    among = tuple(estimate for estimate in judge_card().estimates if among_humans(estimate))
    return judge_card(judge=None, judge_digest=None, fitness=(), confusions=(), estimates=among, distributions=())


def fitness(**fit_for: str) -> tuple[SliceFitness, ...]:
    return tuple(
        SliceFitness(slice={} if name == "overall" else {"language": name}, fit_for=fit, rules=(), because="")  # type: ignore[arg-type]
        for name, fit in fit_for.items()
    )


def test_the_card_says_first_what_the_judge_is_fit_for(tmp_path: Path, templates: Path) -> None:
    text = written(judge_card(), tmp_path, templates).text
    verdict = text.index("NOT FIT FOR GATING gpt-4 is advisory in: type=safe; not fit in: overall, type=unsafe.")
    assert verdict < text.index("12 of 2,262 samples have no readable verdict") < text.index("distance to humans")
    assert "0.276 below two people's agreement of 0.930" in text


@pytest.mark.parametrize(
    ("slices", "word"),
    [
        ({"overall": "gating", "ar": "gating"}, "FIT FOR GATING"),
        ({"overall": "gating", "ar": "not"}, "FIT IN PART"),
        ({"overall": "advisory", "ar": "not"}, "ADVISORY ONLY"),
        ({"overall": "not", "ar": "advisory"}, "NOT FIT FOR GATING"),
        ({}, "NOT RATED"),
    ],
)
def test_the_word_is_never_better_than_the_overall_slice(slices: dict[str, str], word: str) -> None:
    assert card_verdict(judge_card(fitness=fitness(**slices))).word == word


def test_many_slices_are_named_up_to_eight_and_counted() -> None:
    fit = {f"l{number}": "gating" for number in range(14)}
    assert card_verdict(judge_card(fitness=fitness(**fit))).sentence == "gpt-4 is fit for gating in: all 14 slices."
    sentence = card_verdict(judge_card(fitness=fitness(**fit, ar="not"))).sentence
    assert sentence.endswith("language=l7 and 6 more; not fit in: language=ar.")


def test_with_one_criterion_its_slice_is_not_told_twice(tmp_path: Path, templates: Path) -> None:
    twice = tuple(
        found.model_copy(update={"slice": {"criterion": "refusal", **found.slice}}) for found in judge_card().estimates
    )
    text = written(judge_card(estimates=(*judge_card().estimates, *twice)), tmp_path, templates).text
    assert "criterion=refusal" not in text


def test_humans_stand_beside_the_judge() -> None:
    overall = agreement_slices(judge_card().estimates)[0]
    assert overall.where == "overall"
    kappa = next(line for line in overall.lines if line.statistic == "Cohen’s kappa")
    assert [found.against for found in kappa.judge] == ["majority", "ann1"]
    assert [found.against for found in kappa.humans] == ["ann1 x ann2"]
    # Agreement among people and a judge's accuracy are the same share: one line.
    agreement = next(line for line in overall.lines if line.statistic == "agreement")
    assert (len(agreement.judge), len(agreement.humans)) == (1, 1)


def test_the_statistic_drawn_is_one_that_both_have() -> None:
    def line(statistic: str, against: str) -> CardEstimate:
        return CardEstimate(statistic=statistic, against=against, value=0.5, n=9)

    both = [line("cohen_kappa", "majority"), line("percent_agreement", "majority"), line("percent_agreement", "humans")]
    assert main_statistic("nominal", both) == "percent_agreement"
    assert main_statistic("nominal", both[:1]) == "cohen_kappa"
    assert main_statistic("interval", both) is None


def test_without_a_judge_the_card_holds_human_agreement_alone(tmp_path: Path, templates: Path) -> None:
    text = written(humans_alone(), tmp_path, templates).text
    assert "HUMAN AGREEMENT 2 annotators, 2,250 samples" in text
    assert "ann1 and ann2" in text
    assert "judge with people" not in text
    assert "Rules of fitness" not in text


def test_constructed_labels_are_never_called_human(tmp_path: Path, templates: Path) -> None:
    labels = judge_card().labels.model_copy(update={"kind": "constructed"})
    text = written(judge_card(labels=labels), tmp_path, templates).text
    assert "4,500 labels made by construction, not by people" in text
    assert "labels by people" not in text


def test_confusion_shows_shares_of_the_row_and_counts(tmp_path: Path, templates: Path) -> None:
    text = written(judge_card(), tmp_path, templates).text
    assert "full refusal 2 % 12 37 % 268 61 % 444 724" in text
    # A label nobody gave has no shares: missing is not zero.
    assert "full refusal — 0 — 0 — 0 0" in text


def test_a_hostile_card_is_inert(tmp_path: Path, templates: Path) -> None:
    labels = judge_card().labels.model_copy(update={"annotators": (HOSTILE,), "files": (HOSTILE,)})
    estimates = tuple(
        found.model_copy(update={"against": HOSTILE, "slice": {HOSTILE: HOSTILE}}) for found in judge_card().estimates
    )
    page = written(
        judge_card(judge=HOSTILE, labels=labels, notes=(HOSTILE,), spec={HOSTILE: HOSTILE}, estimates=estimates),
        tmp_path,
        templates,
    )
    assert len(page.named("script")) == 1
    assert page.named("img") == []
    assert len(page.ids) == len(set(page.ids))


def test_the_same_card_gives_the_same_bytes(tmp_path: Path, templates: Path) -> None:
    pages = [
        write_card(judge_card(), tmp_path / name, template_folder=templates).read_bytes() for name in ("one", "two")
    ]
    assert pages[0] == pages[1]


def test_an_interval_card_shows_means(tmp_path: Path, templates: Path) -> None:
    scale = judge_card().scale.model_copy(update={"kind": "interval", "labels": ()})
    means = tuple(found.model_copy(update={"counts": {}, "mean": 3.25}) for found in judge_card().distributions)
    text = written(judge_card(scale=scale, distributions=means, confusions=(), estimates=()), tmp_path, templates).text
    assert "judge 3.25 2,250 12" in text
    assert "No agreement could be computed." in text
