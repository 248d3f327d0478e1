"""Load a report: which sections it shows and which gates it decides.

gates:
  - {metric: support.over_refusal, rule: no_worse_than, margin: 0.02, by: [language]}
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalkit.content.columns import check_slice_column
from evalkit.content.locate import find
from evalkit.content.parse import Parsed, load_yaml, validate
from evalkit.content.sentences import Step
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.gate import Gate
from evalkit.core.report_spec import ReportSpec
from evalkit.core.suite import Suite

EVERY_METRIC = "*"


@dataclass(frozen=True)
class LoadedReport:
    """A report with the places of its gates."""

    spec: ReportSpec
    folder: Path
    places: Parsed

    def gate_place(self, index: int, *steps: Step) -> Place:
        """Where a gate stands, or one of its fields."""
        return self.places.place("gates", index, *steps)


def load_report(name_or_path: str | Path, extra_folders: Iterable[Path] = ()) -> LoadedReport:
    """Find and read a report, named for its folder unless it says its name.

    Raises InputError, with file:line:column, for everything that is wrong in it.
    """
    file = find("reports", name_or_path, extra_folders)
    parsed = load_yaml(file)
    spec = validate(parsed, ReportSpec, {"name": file.resolve().parent.name} | parsed.value)
    loaded = LoadedReport(spec, file.parent, parsed)
    for index, gate in enumerate(spec.gates):
        _check_gate(gate, index, loaded)
    return loaded


def check_gates(loaded: LoadedReport, suite: Suite) -> None:
    """Raise InputError at the first gate whose metric the suite does not have."""
    known = list(suite.metrics)
    for index, gate in enumerate(loaded.spec.gates):
        if gate.metric not in (EVERY_METRIC, *known):
            raise unknown_name("metric", gate.metric, [EVERY_METRIC, *known], loaded.gate_place(index, "metric"))


def _check_gate(gate: Gate, index: int, loaded: LoadedReport) -> None:
    if gate.metric != EVERY_METRIC and not all(gate.metric.partition(".")):
        message = f'`metric` is "{gate.metric}"; expected TASK.METRIC, or "*" for every metric that is a share'
        raise InputError(message, loaded.gate_place(index, "metric"))
    earlier = [(other.metric, other.rule) for other in loaded.spec.gates[:index]]
    if (gate.metric, gate.rule) in earlier:
        message = f'gate "{gate.metric} {gate.rule}" is here twice. Remove one, or put its columns into one `by:`'
        raise InputError(message, loaded.gate_place(index))
    _check_rule(gate, index, loaded)
    for column in gate.by:
        check_slice_column(column, loaded.places.place_of_text(column, "gates", index, "by"))
    for number, wanted in enumerate(gate.required):
        for column in wanted:
            check_slice_column(column, loaded.places.key_place("gates", index, "required", number, column))


def _check_rule(gate: Gate, index: int, loaded: LoadedReport) -> None:
    """A difference is held against a margin, one run's number against a bound: the other would go unread."""
    reads, ignores = ("margin", "bound") if gate.rule == "no_worse_than" else ("bound", "margin")
    written = loaded.places.value["gates"][index]
    if reads == "bound" and gate.bound is None:
        message = f"`bound` is missing here: {gate.rule} needs the number that must be held"
        raise InputError(message, loaded.gate_place(index))
    if written.get(ignores) is not None:
        place = loaded.places.key_place("gates", index, ignores)
        raise InputError(f"`{ignores}` does not go with {gate.rule}, which reads `{reads}`. Remove it", place)
