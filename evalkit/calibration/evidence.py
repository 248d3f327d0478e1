"""What the rules of fitness look at, and what each of them finds."""

from dataclasses import dataclass
from typing import Literal

from evalkit.calibration.ceiling import alpha_name
from evalkit.calibration.judged import n_missing
from evalkit.calibration.settings import Drawing
from evalkit.calibration.table import Table
from evalkit.calibration.values import Values
from evalkit.calibration.worst_case import every_missing_verdict_disagrees
from evalkit.core.card import Fitness, Rule
from evalkit.core.estimate import Estimate


@dataclass(frozen=True)
class Finding:
    """A rule's outcome, and what it leaves the judge fit for."""

    rule: str
    outcome: Literal["met", "failed", "not_available"]
    because: str
    leaves: Fitness
    """`gating` where met; `advisory` or `not` where failed; `advisory` where a core rule is not available."""
    short: str = ""
    """For the slice's sentence, where it says half of `because` already; "" = `because`."""

    def as_rule(self) -> Rule:
        """As it stands on the card."""
        return Rule(rule=self.rule, outcome=self.outcome, because=self.because)


@dataclass(frozen=True)
class Evidence:
    """A slice and the reference it is judged by."""

    table: Table
    name: str
    """The reference's name."""
    reference_N: Values
    drawing: Drawing
    human_alpha: Estimate | None
    """People's alpha in this slice; None with fewer than two raters."""
    agreement: Estimate
    """The judge's kappa or alpha with the reference."""
    distance: Estimate | None
    """Judge-human minus human-human alpha; None with fewer than two raters."""

    @property
    def n_missing(self) -> int:
        """Labelled responses without a readable verdict."""
        return n_missing(self.table, self.reference_N)

    def worst(self) -> Table:
        """The slice if every missing verdict disagreed."""
        return every_missing_verdict_disagrees(self.table, self.reference_N)


def agreement_name(table: Table) -> str:
    """The statistic of the absolute floor: kappa for classes, alpha where labels have distances."""
    return alpha_name(table) if table.scale.kind in ("ordinal", "interval") else "cohen_kappa"


RANK: dict[Fitness, int] = {"not": 0, "advisory": 1, "gating": 2}


def lowest(found: list[Finding]) -> Finding:
    """The finding that leaves least. Where all are met, the first."""
    if not found:
        return Finding("recall", "not_available", "nobody gave a label here", "advisory")
    return min(found, key=lambda finding: RANK[finding.leaves])


def lowest_by_rule(found: list[Finding]) -> list[Finding]:
    """One finding per rule: where several references were looked at, the one that leaves least."""
    rules = dict.fromkeys(finding.rule for finding in found)
    return [lowest([finding for finding in found if finding.rule == rule]) for rule in rules]


def failed_at_the_bound(rule: str, says: str, missing: int, bound: str) -> Finding:
    """Met over the readable verdicts, but not if the missing ones disagree."""
    were = "verdict is" if missing == 1 else "verdicts are"
    would = f"it would be {bound}" if bound else "it is undefined"
    return Finding(rule, "failed", f"{says}; {missing} {were} missing, and if each disagreed {would}", "advisory")
