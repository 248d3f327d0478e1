"""Match a report's gates with a suite's metrics."""

from collections.abc import Mapping

from evalkit.comparison.bound import decide_bound
from evalkit.comparison.decide import StandingOf, decide_no_worse, gate_id
from evalkit.comparison.pair import PairedMetric
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.gate import Decision, Gate
from evalkit.core.suite import Suite

EVERY_SHARE = "*"


def resolve_gates(
    gates: tuple[Gate, ...], suite: Suite, units: Mapping[str, str], places: dict[int, Place] | None = None
) -> list[tuple[Gate, str]]:
    """Each gate with the metric it decides; `*` becomes one gate per metric that is a share.

    units: metric -> its unit. Raises InputError for a metric the suite does not have, a margin or bound that does not
    fit its unit, and when no gate is left.
    """
    known = suite.metrics
    resolved: list[tuple[Gate, str]] = []
    for number, gate in enumerate(gates):
        place = (places or {}).get(number)
        if gate.metric == EVERY_SHARE:
            resolved += [(gate, name) for name in known if units.get(name) == "share"]
        elif gate.metric in known:
            resolved.append((gate, gate.metric))
        else:
            raise unknown_name("a gate's metric", gate.metric, known, place, f"Suite {suite.name} has these.")
    for gate, name in resolved:
        check_fits_unit(gate, name, units.get(name, ""), (places or {}).get(gates.index(gate)))
    ids = [gate_id(gate, metric) for gate, metric in resolved]
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    if doubled:
        raise InputError(f"two gates are the same: {', '.join(doubled)}; keep one of each")
    if not resolved:
        raise InputError(f"no gate decides suite {suite.name}: name a report with gates (--report) or add gates to it")
    return resolved


def check_fits_unit(gate: Gate, metric: str, unit: str, place: Place | None) -> None:
    """Raise InputError for a share's margin or bound that is written in points: 5 where 0.05 is meant."""
    if unit != "share":
        return
    if gate.margin >= 1:
        mean = f"did you mean {gate.margin / 100:g}?"
        raise InputError(
            f"gate {metric}: a margin of {gate.margin:g} on a share (0 to 1) passes everything; {mean}", place
        )
    if gate.bound is not None and not 0 <= gate.bound <= 1:
        mean = f"did you mean {gate.bound / 100:g}?"
        raise InputError(f"gate {metric}: a share lies between 0 and 1, and the bound is {gate.bound:g}; {mean}", place)


def decide(gate: Gate, paired: PairedMetric, standing_of: StandingOf) -> tuple[Decision, ...]:
    """All decisions of one gate, by its rule."""
    rule = decide_no_worse if gate.rule == "no_worse_than" else decide_bound
    return rule(gate, paired, standing_of)
