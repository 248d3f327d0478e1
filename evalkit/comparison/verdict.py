"""One verdict, one exit code and one sentence from all decisions. Everything else only renders them."""

from collections.abc import Callable, Iterable
from typing import Literal

from evalkit.core.gate import WORST_FIRST, Decision, Exit, Verdict
from evalkit.report.gates import worst_first
from evalkit.report.numbers import amount_text, difference_text, slice_text, value_text

OnInconclusive = Literal["default", "fail", "warn"]


def gate_verdict(decisions: Iterable[Decision]) -> Verdict:
    """The worst outcome of one gate's decisions; a slice left undecided does not count."""
    outcomes = {decision.outcome for decision in decisions}
    return next((verdict for verdict in WORST_FIRST if verdict in outcomes), "pass")


def by_gate(decisions: Iterable[Decision]) -> dict[str, list[Decision]]:
    """Decisions grouped by gate, in order."""
    grouped: dict[str, list[Decision]] = {}
    for decision in decisions:
        grouped.setdefault(decision.gate, []).append(decision)
    return grouped


def overall_verdict(decisions: tuple[Decision, ...]) -> Verdict:
    """The worst of the blocking gates. Without a blocking gate nothing can be passed: inconclusive."""
    blocking = [decision for decision in decisions if decision.severity == "blocking"]
    return gate_verdict(blocking) if blocking else "inconclusive"


def exit_code(
    verdict: Verdict, decisions: tuple[Decision, ...], is_safety: Callable[[str], bool], on_inconclusive: OnInconclusive
) -> Exit:
    """The exit code of a verdict. Inconclusive fails for safety metrics unless told otherwise.

    is_safety: metric name (`TASK.METRIC`) -> whether its task is a safety task.
    """
    if verdict == "regressed":
        return Exit.REGRESSED
    if verdict == "invalid":
        return Exit.INVALID
    if verdict == "pass" or on_inconclusive == "warn":
        return Exit.PASSED
    open_gates = [
        decision for decision in decisions if decision.outcome == "inconclusive" and decision.severity == "blocking"
    ]
    safety = not open_gates or any(is_safety(decision.metric) for decision in open_gates)
    return Exit.INCONCLUSIVE if on_inconclusive == "fail" or safety else Exit.PASSED


def verdict_sentence(verdict: Verdict, decisions: tuple[Decision, ...]) -> str:
    """What a release owner reads first: the verdict, the worst decision, and how the other gates went."""
    gates = by_gate(decision for decision in decisions if decision.severity == "blocking")
    if not gates:
        return "INCONCLUSIVE: no blocking gate decides this comparison."
    decided = [decision for group in gates.values() for decision in group]
    worst = _worst(verdict, decided)
    tally = _tally([gate_verdict(group) for group in gates.values()], decided)
    if verdict == "regressed":
        return f"REGRESSED, do not ship: {_where(worst)}: {worst.because}.{_also(worst, decided)} {tally}"
    if verdict == "invalid":
        return f"INVALID, nothing may be concluded: {_where(worst)}: {worst.because}. {tally}"
    if verdict == "inconclusive":
        # Two clauses say why; the others stand at the gate.
        because = "; ".join(worst.because.split("; ")[:2])
        change = f", {value_text(worst.baseline)} to {value_text(worst.candidate)}"
        return f"INCONCLUSIVE: {_where(worst)}{change}: {because}.{_beside(worst, decisions)} {tally}"
    return f"PASS: every blocking gate holds. {tally}{_seen(worst)}"


def status_line(verdict: Verdict, code: int, decisions: tuple[Decision, ...]) -> str:
    """The line that ends stdout.

    >>> status_line("pass", 0, ())
    'evalkit: verdict=pass exit=0 gates=0 failed=0 inconclusive=0'
    """
    verdicts = [gate_verdict(group) for group in by_gate(decisions).values()]
    failed, unsure = verdicts.count("regressed"), verdicts.count("inconclusive")
    return f"evalkit: verdict={verdict} exit={int(code)} gates={len(verdicts)} failed={failed} inconclusive={unsure}"


def _worst(verdict: Verdict, decisions: list[Decision]) -> Decision:
    """The decision that the sentence tells of: the first of the verdict's outcome, in the order of the page."""
    if verdict == "pass":
        return min(decisions, key=lambda decision: -(decision.smallest_detectable_drop or 0.0))
    return worst_first(decision for decision in decisions if decision.outcome == verdict)[0]


def _where(decision: Decision) -> str:
    return f"{decision.metric}" + (f" ({slice_text(decision.slice)})" if decision.slice else "")


def _also(worst: Decision, decisions: list[Decision]) -> str:
    """The other gates that regressed, by their worst slice."""
    others = worst_first(found for found in decisions if found.outcome == "regressed" and found.gate != worst.gate)
    first = {found.gate: found for found in reversed(others)}.values()
    named = [f"{_where(found)} {difference_text(found.difference)}" for found in first]
    return f" Also {', '.join(named)}." if named else ""


def _tally(verdicts: list[Verdict], decisions: list[Decision]) -> str:
    """How the blocking gates went, and how many of their slices are left open."""
    parts = [f"{verdicts.count(verdict)} {verdict}" for verdict in WORST_FIRST if verdict in verdicts]
    n_open = sum(found.outcome == "undecided" for found in decisions)
    undecided = f" Not decided, and not required: {n_open} slice{'s' * (n_open != 1)}." if n_open else ""
    return f"Of {len(verdicts)} blocking gate{'s' * (len(verdicts) != 1)}: {', '.join(parts)}.{undecided}"


def _beside(worst: Decision, decisions: tuple[Decision, ...]) -> str:
    """What people's labels of the same answers say, where they were decided too."""
    twins = [other for other in decisions if other.metric in worst.beside and other.slice == worst.slice]
    if not twins:
        return ""
    before, after = value_text(twins[0].baseline), value_text(twins[0].candidate)
    return f" People's labels of the same answers: {before} and {after}, {twins[0].because}."


def _seen(worst: Decision) -> str:
    """How large a drop the weakest gate would have called regressed."""
    if worst.smallest_detectable_drop is None:
        return ""
    drop = amount_text(worst.smallest_detectable_drop, worst.difference.unit)
    return f" The least sensitive, {_where(worst)}, would have called a drop of {drop} regressed four times in five."
