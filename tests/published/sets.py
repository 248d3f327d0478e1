"""Where each published figure stands on our cards, set by set."""

import gzip
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from evalkit.core.card import JudgeCard
from evalkit.stats.correlation import kendall_tau_b
from tests.published.cards import Cards, distribution, value
from tests.published.figures import Ours

ANNOTATOR_PAIRS = [("annotator1", "annotator2"), ("annotator1", "annotator3"), ("annotator2", "annotator3")]


def pandalm(cards: Cards) -> Iterator[Ours]:
    """Three annotators, two judges whose unreadable verdicts count as ties."""
    card = cards.card("pandalm")
    for first, second in ANNOTATOR_PAIRS:
        kappa = value(card, "cohen_kappa", f"{first} x {second}")
        yield Ours(f"Cohen kappa {first}/{second}", (("", kappa),))
    yield Ours("Fleiss kappa, 3 annotators", (("", value(card, "fleiss_kappa", "humans")),))
    counts = distribution(card, "majority").counts
    labels = tuple((label, float(counts[label])) for label in ("tie", "a", "b"))
    yield Ours("label distribution tie/a/b (majority)", labels)
    for judge in ("gpt-3.5-turbo", "pandalm-7b"):
        judged = cards.card("pandalm", judgements__judge=judge)
        for words, statistic in (
            ("accuracy", "accuracy"),
            ("macro precision", "macro_precision"),
            ("macro recall", "macro_recall"),
            ("macro F1", "macro_f1"),
        ):
            yield Ours(f"{judge} {words} vs majority", (("", value(judged, statistic, "majority")),))


def xstest(cards: Cards) -> Iterator[Ours]:
    """Two annotators on three classes, and two judges on two."""
    people = cards.card("xstest", judgements=None, scale="nominal", by=("system", "meta.label"), labels__collapse={})
    for system in ("llama2orig", "llama2new", "mistralinstruct", "mistralguard", "gpt4"):
        where = {"system": system}
        yield Ours(f"{system}: Fleiss kappa, 2 annotators", (("", value(people, "fleiss_kappa", "humans", where)),))
        agreement = value(people, "percent_agreement", "annotation_1 x annotation_2", where)
        yield Ours(f"{system}: agreement %", (("", 100 * agreement),))
        shares = {
            label: _percentages(distribution(people, "adjudicated", {**where, "meta.label": label}).counts)
            for label in ("safe", "unsafe")
        }
        yield Ours(
            f"{system}: safe prompts full | partial refusal %; unsafe full refusal %",
            (
                ("safe, full", shares["safe"]["2_full_refusal"]),
                ("safe, partial", shares["safe"]["3_partial_refusal"]),
                ("unsafe, full", shares["unsafe"]["2_full_refusal"]),
            ),
        )
    for judge, spec in (("gpt-4", "xstest"), ("string-match", "xstest_string_match")):
        kappa = value(cards.card(spec), "cohen_kappa", "adjudicated")
        yield Ours(f"{judge} vs adjudicated, binary (comply / any refusal): Cohen kappa", (("", kappa),))


def llmbar(cards: Cards) -> Iterator[Ours]:
    """Every judge and prompt in both presentation orders, by subset; the card's cells are also counted plainly."""
    answers = _llmbar_rows(cards)
    largest = [0.0, 0.0]
    for judge, prompting in sorted({key[:2] for key in answers}):
        card = cards.card("llmbar", judgements__where={"judge": judge, "prompting": prompting})
        subsets = sorted({line.slice["category"] for line in card.estimates if set(line.slice) == {"category"}})
        for subset in subsets:
            where = {"category": subset}
            accuracy = 100 * value(card, "accuracy", "gold", where)
            consistency = 100 * value(card, "swap_consistency", "itself", where)
            counted = _counted(answers[judge, prompting, subset])
            largest = [max(largest[0], abs(accuracy - counted[0])), max(largest[1], abs(consistency - counted[1]))]
            yield Ours(
                f"{judge} {prompting} {subset}: mean accuracy % | positional agreement %",
                (("accuracy", accuracy), ("positional agreement", consistency)),
                counted=counted,
            )
    yield Ours(
        "max |published-recomputed| over all judge x prompting x subset: accuracy pts | agreement pts",
        left_out="the published statistics of all 135 cells are not in the folder; from a plain count of its rows our "
        f"cards are off by at most {largest[0]:.2g} points of accuracy and {largest[1]:.2g} of positional agreement",
    )


CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")


def hanna(cards: Cards) -> Iterator[Ours]:
    """Six criteria, three rating slots, five judges."""
    people = cards.card("hanna", judgements=None, by=("system",))
    yield Ours("annotations", (("", float(people.labels.n_labels)),))
    for criterion in CRITERIA:
        icc = value(people, "icc_2_k", "humans", {"criterion": criterion})
        yield Ours(f"human ICC2k, {criterion}", (("", icc),))
    for words, system in (("the Human", "Human"), ("BertGeneration", "BertGeneration")):
        means = tuple(
            (criterion, distribution(people, "mean", {"criterion": criterion, "system": system}).mean or math.nan)
            for criterion in CRITERIA
        )
        yield Ours(f"mean rating of {words} stories RE/CH/EM/SU/EG/CX", means)
    for judge in ("ChatGPT", "Beluga-13B", "Mistral-7B", "Llama-13B", "OrcaPlatypus"):
        card = cards.card("hanna", judgements__judge=f"{judge}/eval_prompt_1", by=("system",))
        stories = fmean(value(card, "kendall_tau_b", "mean", {"criterion": name}) for name in CRITERIA)
        tied = fmean(value(card, "system_kendall_tau_b", "mean", {"criterion": name}) for name in CRITERIA)
        ranked = fmean(kendall_tau_b(*_system_means(card, name)) or math.nan for name in CRITERIA)
        yield Ours(
            f"{judge} eval_prompt_1 vs mean human: story-level | system-level Kendall, mean of 6 criteria",
            (("stories", stories), ("systems", ranked)),
            note="some systems have equal means, which the recomputed value ranks by their last bit; the card takes "
            f"them as tied: system_kendall_tau_b {tied:.4f} on average",
        )


def mlqe_pe(cards: Cards) -> Iterator[Ours]:
    """Seven language pairs: a model's log-probability, and up to six rating slots on two scales."""
    scores = cards.card("mlqe_pe")
    raw = cards.card("mlqe_pe", judgements=None, labels__field="value", by=("language",))
    for language in ("si-en", "ne-en", "et-en", "ro-en", "en-de", "en-zh", "ru-en"):
        where = {"language": language}
        for split in ("test", "dev"):
            r = value(scores, "pearson", "mean", {**where, "meta.split": split})
            yield Ours(f"{language} {split}: Pearson(model log-prob, mean z DA)", (("", r),))
        slots = [found for found in raw.distributions if found.slice == where and "_slot_" in found.source]
        yield Ours(
            f"{language}: mean DA | Pearson rater slot 1 vs mean of the others | raters per item",
            (
                ("mean", distribution(raw, "mean", where).mean or math.nan),
                ("Pearson", value(scores, "pearson", "rater_slot_1 x others", where)),
                ("raters", float(len(slots))),
                ("items with so many", float(min(found.n for found in slots))),
            ),
        )
    gap = value(raw, "max_absolute_difference", "mean x humans")
    yield Ours("max |mean of raters - published mean column|", (("", gap),))


def summhay_eval(cards: Cards) -> Iterator[Ours]:
    """One annotator, six judges, two questions."""
    judges = ("gemini-1.5-pro/prompted", "gpt-4o/9fs", "gpt-4o/prompted", "claude3-opus/prompted")
    for judge in (*judges, "claude3-haiku/prompted", "gpt3.5/prompted"):
        coverage = cards.card("summhay", judgements__judge=judge)
        yield Ours(f"{judge}: Pearson with human coverage", (("", value(coverage, "pearson", "annotator_final")),))
        bullets = cards.card("summhay_bullets", judgements__judge=judge)
        yield Ours(f"{judge}: bullet linking accuracy", (("", value(bullets, "accuracy", "annotator_final")),))


def unieval_dialogue_d2t(cards: Cards) -> Iterator[Ours]:
    """Three data sets in one file, a trained evaluator's scores."""
    for name in ("topical_chat", "sfres", "sfhot"):
        card = cards.card("unieval", labels__where={"item_id": f"{name}-*"})
        # No figure was published of "overall" on the two data-to-text sets.
        for criterion in [found for found in card.criteria if name == "topical_chat" or found != "overall"]:
            where = {"criterion": criterion}
            parts = tuple(
                (statistic, value(card, statistic, "mean_of_annotators", where))
                for statistic in ("pearson", "spearman", "kendall_tau_b")
            )
            yield Ours(f"UniEval {name} {criterion}: Pearson | Spearman | Kendall", parts)


SETS: dict[str, Callable[[Cards], Iterator[Ours]]] = {
    "pandalm": pandalm,
    "xstest": xstest,
    "llmbar": llmbar,
    "hanna": hanna,
    "mlqe_pe": mlqe_pe,
    "summhay_eval": summhay_eval,
    "unieval_dialogue_d2t": unieval_dialogue_d2t,
}


def _system_means(card: JudgeCard, criterion: str) -> tuple[list[float], list[float]]:
    """Each system's mean human rating and mean verdict, as the card's distributions have them."""
    means: dict[str, dict[str, float]] = {"mean": {}, "judge": {}}
    for found in card.distributions:
        if found.slice.get("criterion") == criterion and "system" in found.slice and found.source in means:
            means[found.source][found.slice["system"]] = found.mean or math.nan
    systems = sorted(means["judge"])
    return [means["mean"][name] for name in systems], [means["judge"][name] for name in systems]


def _percentages(counts: dict[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: 100 * count / total for label, count in counts.items()}


Cell = dict[str, tuple[str, dict[str, str | None]]]
"""item -> (gold label, order -> verdict)."""


def _llmbar_rows(cards: Cards) -> dict[tuple[str, str, str], Cell]:
    """(judge, prompting, subset) -> its rows, read without evalkit."""
    folder = cards.folder
    subset_of = {row["item_id"]: row["category"] for row in _rows(folder / "items.jsonl")}
    gold = {row["item_id"]: row["value"] for row in _rows(folder / "human.jsonl")}
    cells: dict[tuple[str, str, str], Cell] = {}
    for row in _rows(folder / "judge.jsonl.gz"):
        item = row["item_id"]
        cell = cells.setdefault((row["judge"], row["prompting"], subset_of[item]), {})
        cell.setdefault(item, (gold[item], {}))[1][row["order"]] = row["value"]
    return cells


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def _counted(cell: Cell) -> tuple[float, float]:
    """Accuracy over both orders and positional agreement, in per cent of the readable verdicts."""
    right = [verdict == gold for gold, orders in cell.values() for verdict in orders.values() if verdict is not None]
    both = [tuple(orders.values()) for _, orders in cell.values() if None not in orders.values()]
    return 100 * fmean(right), 100 * fmean(first == second for first, second in both)
