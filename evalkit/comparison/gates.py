"""Match a report's gates with a suite's metrics."""

from evalkit.comparison.bound import decide_bound
from evalkit.comparison.decide import StandingOf, decide_no_worse, gate_id
from evalkit.comparison.pair import PairedMetric
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.gate import Decision, Gate
from evalkit.core.suite import Suite

EVERY_SHARE = "*"


def resolve_gates(
    gates: tuple[Gate, ...], suite: Suite, share_metrics: frozenset[str], places: dict[int, Place] | None = None
) -> list[tuple[Gate, str]]:
    """Each gate with the metric it decides; `*` becomes one gate per metric that is a share.

    Raises InputError for a metric the suite does not have, and when no gate is left.
    """
    known = suite.metrics
    resolved: list[tuple[Gate, str]] = []
    for number, gate in enumerate(gates):
        place = (places or {}).get(number)
        if gate.metric == EVERY_SHARE:
            resolved += [(gate, name) for name in known if name in share_metrics]
        elif gate.metric in known:
            resolved.append((gate, gate.metric))
        else:
            raise unknown_name("a gate's metric", gate.metric, known, place, f"Suite {suite.name} has these.")
    ids = [gate_id(gate, metric) for gate, metric in resolved]
    doubled = sorted({name for name in ids if ids.count(name) > 1})
    if doubled:
        raise InputError(f"two gates are the same: {', '.join(doubled)}; keep one of each")
    if not resolved:
        raise InputError(f"no gate decides suite {suite.name}: name a report with gates (--report) or add gates to it")
    return resolved


def decide(gate: Gate, paired: PairedMetric, standing_of: StandingOf) -> tuple[Decision, ...]:
    """All decisions of one gate, by its rule."""
    rule = decide_no_worse if gate.rule == "no_worse_than" else decide_bound
    return rule(gate, paired, standing_of)
