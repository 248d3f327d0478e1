"""Check content without asking any model: everything a run would stop at, and gates that could never pass."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from evalkit.comparison.gates import check_fits_unit
from evalkit.content.candidates import load_candidate
from evalkit.content.judges import load_judge
from evalkit.content.locate import Kind, find, list_content, shown
from evalkit.content.reports import LoadedReport, check_gates, load_report
from evalkit.content.suites import LoadedSuite, load_suite
from evalkit.core.candidate import Candidate, Price
from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.gate import Gate
from evalkit.core.sample import Sample
from evalkit.core.suite import Task
from evalkit.report.numbers import amount_text, slice_text
from evalkit.runner.bind import Binding, bind, check_metric_labels, judge_places
from evalkit.runner.plan import Filter, planned_samples
from evalkit.runner.requests import RequestMaker
from evalkit.stats.paired import lower_limit
from evalkit.stats.power import min_n_without_discordance

CHECKED: tuple[Kind, ...] = ("suites", "judges", "reports", "candidates")
_CANDIDATE = Candidate(
    name="check",
    engine="echo",
    price=Price(usd_per_million_input=0, usd_per_million_output=0, as_of="2026-01-01"),  # type: ignore[arg-type]
)
"""Nobody asks it: scorers are made for it, to see that they can be made."""


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at."""

    kind: Kind
    file: Path
    summary: str = ""
    error: str = ""
    """The first thing wrong with it; "" = nothing."""
    skipped: str = ""
    """Why it could not be looked at whole; "" = it was."""


def check_all(data_folders: tuple[Path, ...] = ()) -> list[Checked]:
    """What lies under the working directory; where that is nothing, what ships. A suite without its data is skipped."""
    everything = [(kind, file) for kind in CHECKED for file in list_content(kind).values()]
    found = [(kind, file) for kind, file in everything if file.resolve().is_relative_to(Path.cwd())] or everything
    return [_check(kind, file, data_folders, must_have_data=False) for kind, file in found]


def check_path(path: str, data_folders: tuple[Path, ...] = ()) -> list[Checked]:
    """One suite, judge, report or candidate, by path or name. Raises InputError when it is none."""
    for kind in CHECKED:
        try:
            file = find(kind, path)
        except InputError:
            continue
        is_other_file = Path(path).is_file() and file.name != f"{kind[:-1]}.yaml"
        if kind != "candidates" and (is_other_file or file.resolve().parent.name == "candidates"):
            continue
        return [_check(kind, file, data_folders, must_have_data=True)]
    raise InputError(
        f'"{path}" is no suite, judge, report or candidate: name one, or a folder that holds its YAML file'
    )


def _check(kind: Kind, file: Path, data_folders: tuple[Path, ...], must_have_data: bool) -> Checked:
    looks = {"suites": _suite, "judges": _judge, "reports": _report, "candidates": _candidate}
    try:
        return Checked(kind, shown(file), summary=looks[kind](file, data_folders))
    except EvalkitError as error:
        if not must_have_data and "--data FOLDER" in str(error):
            return Checked(kind, shown(file), skipped=str(error))
        return Checked(kind, shown(file), error=str(error))


def _suite(file: Path, data_folders: tuple[Path, ...]) -> str:
    loaded = load_suite(file, data_folders)
    binding = bind(loaded, _CANDIDATE, dict.fromkeys(_asked_judges(loaded, data_folders), "echo"), data_folders)
    check_metric_labels(loaded, binding)
    sizes: dict[str, Counter[str]] = {task.name: Counter() for task in loaded.suite.tasks}
    report = load_report(loaded.suite.report)
    check_gates(report, loaded.suite)
    counts = _GateCounts(report, loaded, _units(loaded, binding))
    makers = {task.name: RequestMaker(task, _CANDIDATE) for task in loaded.suite.tasks}
    for task, sample in planned_samples(loaded, Filter(), data_folders):
        sizes[task.name].update([sample.language or "no language"])
        for _ in makers[task.name].requests_of(sample):
            counts.add(task, sample)
    counts.check()
    parts = [
        f"{name}: {sum(size.values())} samples ({', '.join(f'{code} {n}' for code, n in sorted(size.items()))})"
        for name, size in sizes.items()
    ]
    return "; ".join(parts)


def _judge(file: Path, data_folders: tuple[Path, ...]) -> str:
    spec = load_judge(file, data_folders).spec
    return f"{spec.method}, scale {spec.scale}, criteria {', '.join(spec.criteria)}"


def _report(file: Path, data_folders: tuple[Path, ...]) -> str:
    spec = load_report(file).spec
    return f"{len(spec.gates)} gates, sections {', '.join(spec.sections)}"


def _candidate(file: Path, data_folders: tuple[Path, ...]) -> str:
    candidate = load_candidate(str(file))
    return f"{candidate.engine}, model {candidate.model or 'none'}"


def _asked_judges(loaded: LoadedSuite, data_folders: tuple[Path, ...]) -> list[str]:
    """The suite's judges that ask a model."""
    places = judge_places(loaded)
    return [
        name for name, place in places.items() if load_judge(name, data_folders, place=place).spec.method != "recorded"
    ]


def _units(loaded: LoadedSuite, binding: Binding) -> dict[str, str]:
    """Metric -> its unit, asked of its scorer; a judge's labels have none."""
    of_scorer = {(task, scorer.name): scorer.unit for task, scorers in binding.scorers.items() for scorer in scorers}
    return {
        name: "share" if metric.reduce == "share" else of_scorer.get((task.name, metric.scorer)) or metric.unit
        for name, (task, metric) in loaded.suite.metrics.items()
    }


class _GateCounts:
    """How many samples each metric speaks of, and each required slice of each gate has."""

    def __init__(self, report: LoadedReport, loaded: LoadedSuite, units: dict[str, str]):
        """units: metric -> its unit."""
        self._report = report
        self._metrics = loaded.suite.metrics
        self._units = units
        self._loaded = loaded
        self._clusters: dict[tuple[int, str, str], list[str]] = {}
        self._spoken_of: Counter[str] = Counter()

    def add(self, task: Task, sample: Sample) -> None:
        """Count one sample in every slice it lies in."""
        self._spoken_of.update(
            name
            for name, (its_task, metric) in self._metrics.items()
            if its_task.name == task.name and metric.speaks_of(sample)
        )
        for index, gate in enumerate(self._report.spec.gates):
            for name, (its_task, metric) in self._metrics.items():
                if its_task.name == task.name and gate.metric in ("*", name) and metric.speaks_of(sample):
                    for wanted in ({}, *gate.required):
                        if all(sample.column(column) == value for column, value in wanted.items()):
                            self._clusters.setdefault((index, name, slice_text(wanted)), []).append(sample.cluster_id)

    def check(self) -> None:
        """Raise InputError for a metric or a required slice without samples, or with too few to pass even unchanged."""
        for name, (task, metric) in self._metrics.items():
            if not self._spoken_of[name]:
                raise InputError(
                    f"metric {name}: no sample has {metric.where}. Check `where:` against the data's columns",
                    self._loaded.metric_place(task.name, metric.name),
                )
        for index, gate in enumerate(self._report.spec.gates):
            for name in self._metrics:
                if gate.metric == name:
                    check_fits_unit(gate, name, self._units[name], self._report.gate_place(index))
                if gate.metric in ("*", name) and self._units[name] == "share":
                    for wanted in ({}, *gate.required):
                        self._check_one(index, gate, name, slice_text(wanted))

    def _check_one(self, index: int, gate: Gate, name: str, wanted: str) -> None:
        clusters, place = self._clusters.get((index, name, wanted), []), self._report.gate_place(index)
        if not clusters:
            raise InputError(f"gate {name}: the required slice {wanted} has no samples", place)
        if gate.rule != "no_worse_than":
            return
        needed = min_n_without_discordance(gate.margin, gate.alpha)
        if needed is None:
            raise InputError(f"gate {name}: no number of samples can show a loss of 0; give it a margin", place)
        limit = lower_limit(
            [1.0] * len(clusters), [1.0] * len(clusters), cluster_N=clusters, alpha=gate.alpha, unit="share"
        )
        if limit is None or limit <= -gate.margin:
            apart = len(set(clusters))
            slice_words = "the overall" if wanted == "overall" else f"the required slice {wanted}"
            held = f"{len(clusters)} samples" + (f" in {apart} clusters" if apart < len(clusters) else "")
            raise InputError(
                f"gate {name}: {slice_words} has {held}; with a margin of "
                f"{amount_text(gate.margin, 'share')} it could not pass even if not one answer changed (that takes "
                f"{needed} samples that stand alone, more in clusters). Add samples, or widen the margin"
                + (", or take the slice out of `required`" if wanted != "overall" else ""),
                place,
            )
