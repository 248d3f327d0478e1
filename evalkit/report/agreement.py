"""Agreement for people: the judge with humans on the left, humans among themselves on the right.

A card's estimates are a flat list; `against` says between whom. `humans` and `A x B` are agreement among people; every
other name (`majority`, `adjudicated`, an annotator, `judge x humans`) is a reference that the judge is held against.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from evalkit.core.card import CardEstimate
from evalkit.core.estimate import Slice
from evalkit.report.numbers import slice_text

STATISTIC_WORDS = {
    "percent_agreement": "agreement",
    "accuracy": "agreement",
    "cohen_kappa": "Cohen\N{RIGHT SINGLE QUOTATION MARK}s kappa",
    "cohen_kappa_linear": "kappa, linear weights",
    "cohen_kappa_quadratic": "kappa, quadratic weights",
    "fleiss_kappa": "Fleiss\N{RIGHT SINGLE QUOTATION MARK} kappa",
    "krippendorff_alpha_nominal": "Krippendorff\N{RIGHT SINGLE QUOTATION MARK}s alpha, nominal",
    "krippendorff_alpha_ordinal": "Krippendorff\N{RIGHT SINGLE QUOTATION MARK}s alpha, ordinal",
    "krippendorff_alpha_interval": "Krippendorff\N{RIGHT SINGLE QUOTATION MARK}s alpha, interval",
    "gwet_ac1": "Gwet\N{RIGHT SINGLE QUOTATION MARK}s AC1",
    "f1": "F1",
    "macro_f1": "macro F1",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "kendall_tau_b": "Kendall\N{RIGHT SINGLE QUOTATION MARK}s tau-b",
    "matthews_correlation": "Matthews correlation",
    "bias": "bias (judge \N{MINUS SIGN} reference)",
    "system_kendall_tau_b": "Kendall\N{RIGHT SINGLE QUOTATION MARK}s tau-b over systems",
    "system_pearson": "Pearson correlation over systems",
    "system_spearman": "Spearman correlation over systems",
    "icc_2_1": "ICC(2,1)",
    "icc_2_k": "ICC(2,k)",
    "icc_3_1": "ICC(3,1)",
}

_DIFFERENCE = "_minus_humans"

_MAIN = {
    "ordinal": ("krippendorff_alpha_ordinal", "cohen_kappa_quadratic", "spearman", "cohen_kappa"),
    "interval": ("krippendorff_alpha_interval", "pearson", "spearman", "icc_2_1"),
    "nominal": ("cohen_kappa", "krippendorff_alpha_nominal", "fleiss_kappa", "percent_agreement"),
}


@dataclass(frozen=True)
class AgreementLine:
    """One statistic in one slice: judge and humans, beside humans and humans."""

    statistic: str
    """In words."""
    judge: tuple[CardEstimate, ...]
    humans: tuple[CardEstimate, ...]


@dataclass(frozen=True)
class AgreementSlice:
    """All statistics of one slice."""

    where: str
    lines: tuple[AgreementLine, ...]


def among_humans(estimate: CardEstimate) -> bool:
    """Whether an estimate is agreement among people.

    >>> [among_humans(CardEstimate(statistic="cohen_kappa", against=name, value=0.5, n=9)) for name in
    ...     ("humans", "ann1 x ann2", "ann1 x others", "majority", "judge x humans", "itself")]
    [True, True, True, False, False, False]
    """
    if estimate.statistic.endswith(_DIFFERENCE):
        return False
    return estimate.against == "humans" or (" x " in estimate.against and not estimate.against.startswith("judge x "))


def between(estimate: CardEstimate) -> str:
    """Between whom an agreement is, in words.

    >>> between(CardEstimate(statistic="cohen_kappa", against="majority", value=0.5, n=9))
    'judge and majority'
    >>> between(CardEstimate(statistic="krippendorff_alpha_nominal", against="judge x humans", value=0.5, n=9))
    'judge and each annotator, mean'
    """
    if estimate.statistic.endswith(_DIFFERENCE):
        return "judge\N{RIGHT SINGLE QUOTATION MARK}s less people\N{RIGHT SINGLE QUOTATION MARK}s own"
    if estimate.against == "judge x humans":
        return "judge and each annotator, mean"
    if estimate.against == "humans":
        return "all annotators"
    if among_humans(estimate):
        return estimate.against.replace(" x ", " and ")
    return f"judge and {estimate.against}"


def statistic_words(statistic: str) -> str:
    """A statistic's plain name as a reader says it.

    >>> statistic_words("true_positive_rate"), statistic_words("f1")
    ('true positive rate', 'F1')
    >>> statistic_words("krippendorff_alpha_nominal_minus_humans")
    'Krippendorff’s alpha, nominal: judge less people'
    """
    if statistic.endswith(_DIFFERENCE):
        return f"{statistic_words(statistic.removesuffix(_DIFFERENCE))}: judge less people"
    return STATISTIC_WORDS.get(statistic, statistic.replace("_", " "))


def agreement_slices(estimates: Iterable[CardEstimate], first: str | None = None) -> tuple[AgreementSlice, ...]:
    """Estimates by slice and statistic, the overall slice first, and in each slice the statistic `first`."""
    words = None if first is None else statistic_words(first)
    slices: dict[str, dict[str, list[CardEstimate]]] = {}
    for estimate in sorted(estimates, key=lambda estimate: len(estimate.slice)):
        lines = slices.setdefault(slice_text(estimate.slice), {})
        lines.setdefault(statistic_words(estimate.statistic), []).append(estimate)
    return tuple(
        AgreementSlice(where, tuple(_line(name, lines[name]) for name in sorted(lines, key=lambda name: name != words)))
        for where, lines in slices.items()
    )


def main_statistic(scale_kind: str, estimates: Iterable[CardEstimate]) -> str | None:
    """The statistic to draw: the usual one for the scale that was computed, if possible both with and among humans."""
    wanted = _MAIN.get(scale_kind, _MAIN["nominal"])
    estimates = [estimate for estimate in estimates if estimate.value is not None]
    with_judge = {estimate.statistic for estimate in estimates if not among_humans(estimate)}
    with_humans = {estimate.statistic for estimate in estimates if among_humans(estimate)}
    for known in (with_judge & with_humans, with_judge, with_humans):
        found = next((statistic for statistic in wanted if statistic in known), None)
        if found is not None:
            return found
    return None


def figures_as_estimates(figures: Iterable[dict[str, Any]]) -> tuple[CardEstimate, ...]:
    """A comparison's excerpt of a card, as the card's own estimates."""
    return tuple(CardEstimate.model_validate(figure) for figure in figures)


def slices_of(estimates: Iterable[CardEstimate]) -> list[Slice]:
    """The slices in order of appearance, the overall first."""
    found = {slice_text(estimate.slice): estimate.slice for estimate in estimates}
    return sorted(found.values(), key=len)


def _line(statistic: str, found: list[CardEstimate]) -> AgreementLine:
    # A judge's accuracy and its percent agreement with a reference are one number: said once.
    found = list({estimate.against: estimate for estimate in reversed(found)}.values())[::-1]
    judge = tuple(estimate for estimate in found if not among_humans(estimate))
    humans = tuple(estimate for estimate in found if among_humans(estimate))
    return AgreementLine(statistic, judge, humans)
