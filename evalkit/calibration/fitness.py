"""What a judge is fit for in a slice, in one word and one sentence.

gating    no rule failed, and the core rules are available (labels, recall of both classes, absolute agreement, and
          the distance to people where two raters exist)
not       a rule failed beyond its advisory band: too few labels to say anything, a class too often missed, agreement
          below .40, a judge farther from people than people from each other, or people who do not agree themselves
advisory  everything between: the verdicts may be shown, they decide nothing
"""

from collections.abc import Iterable, Mapping

from evalkit.calibration.ceiling import alpha_name, difference_name
from evalkit.calibration.evidence import Evidence, Finding, agreement_name, lowest_by_rule
from evalkit.calibration.references import fitness_references
from evalkit.calibration.rules import findings
from evalkit.calibration.settings import Drawing
from evalkit.calibration.table import Table
from evalkit.calibration.wording import STATISTIC_NAMES, coefficient, people, reference_words, with_interval
from evalkit.core.card import CardEstimate, Fitness, SliceFitness
from evalkit.core.estimate import Estimate, Slice

ByName = Mapping[tuple[str, str], CardEstimate]
"""(statistic, against) -> the slice's estimate."""

WORDS: dict[Fitness, str] = {"gating": "fit for gating", "advisory": "advisory only", "not": "unfit"}


def slice_fitness(
    table: Table, where: Slice, estimates: Iterable[CardEstimate], drawing: Drawing, reference: str | None
) -> SliceFitness | None:
    """The fitness of one slice from its estimates; None without verdicts or without anything to hold them against."""
    by_name = {(estimate.statistic, estimate.against): estimate for estimate in estimates}
    if not table.has_verdicts:
        return None
    cases = [
        Evidence(
            table=table,
            name=name,
            reference_N=reference_N,
            drawing=drawing,
            human_alpha=_people_alpha(table, by_name),
            agreement=by_name[agreement_name(table), name] if (agreement_name(table), name) in by_name else _none(name),
            distance=by_name.get((difference_name(table), "humans")),
        )
        for name, reference_N in fitness_references(table, reference).items()
    ]
    if not cases:
        return None
    found = lowest_by_rule([finding for case in cases for finding in findings(case)])
    fit_for = fitness_of(found)
    weakest = min(cases, key=lambda case: case.agreement.value if case.agreement.value is not None else -2.0)
    return SliceFitness(
        slice=where,
        fit_for=fit_for,
        rules=tuple(finding.as_rule() for finding in found),
        because=_sentence(fit_for, found, weakest, by_name),
    )


def fitness_of(found: list[Finding]) -> Fitness:
    """The least that any rule leaves."""
    left = {finding.leaves for finding in found}
    return "not" if "not" in left else "advisory" if "advisory" in left else "gating"


def _people_alpha(table: Table, by_name: ByName) -> CardEstimate | None:
    return by_name.get((alpha_name(table), "humans"))


def _none(name: str) -> Estimate:
    return Estimate(value=None, n=0, reason=f"no response has both a verdict and a label of {name}")


def _sentence(fit_for: Fitness, found: list[Finding], case: Evidence, by_name: ByName) -> str:
    """`unfit: Cohen kappa .654 [.62, .69] against the adjudicated label, where two people reach .93; ...`."""
    statistic = agreement_name(case.table)
    parts = [f"{STATISTIC_NAMES[statistic]} {with_interval(case.agreement)} against {reference_words(case.name)}"]
    parts[0] += _beside_people(case.table, statistic, by_name)
    failed = [finding for finding in found if finding.outcome == "failed"]
    # The agreement is the sentence's first part already, so its floor comes next.
    failed.sort(key=lambda finding: finding.rule != "absolute_agreement")
    parts += [finding.short or finding.because for finding in failed]
    absent = [finding for finding in found if finding.outcome == "not_available" and finding.leaves != "gating"]
    parts += [finding.because for finding in absent]
    if fit_for == "gating":
        parts.append("every rule that is available is met")
    return f"{WORDS[fit_for]}: " + "; ".join(parts)


def _beside_people(table: Table, statistic: str, by_name: ByName) -> str:
    """What people reach by the same statistic, or by the nearest one for more than two."""
    persons, n_raters = table.persons, len(table.raters)
    if n_raters < 2:
        return ""
    if statistic == "cohen_kappa" and len(persons) == n_raters == 2:
        found = by_name.get((statistic, f"{persons[0]} x {persons[1]}"))
        return f", where two people reach {coefficient(found.value)}" if found and found.value is not None else ""
    found = _people_alpha(table, by_name)
    if found is None or found.value is None:
        return ""
    who = people(n_raters) if len(persons) == n_raters else f"{n_raters} raters"
    named = "" if statistic == found.statistic else f" {STATISTIC_NAMES[found.statistic]}"
    return f", where {who} reach{named} {coefficient(found.value)}"
