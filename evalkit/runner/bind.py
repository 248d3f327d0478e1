"""Bind what a suite names to what acts: engines to candidates, scorers and judges to tasks.

All of it happens before anything is asked, so that a wrong name or a missing file costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evalkit.content.candidates import load_candidate
from evalkit.content.judges import LoadedJudge, load_judge
from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.suite import ScorerSpec, Task
from evalkit.engines.base import Engine, EngineContext, say_nothing
from evalkit.plugins import load
from evalkit.runner.score import PassScorer
from evalkit.scorers.base import ScorerContext
from evalkit.scorers.recorded import RecordedJudge, RecordedLabels


@dataclass(frozen=True)
class AskedJudge:
    """A judge that asks a model, before the model is there."""

    loaded: LoadedJudge
    candidate: Candidate


@dataclass(frozen=True)
class Binding:
    """Everything that acts in one run."""

    scorers: dict[str, list[PassScorer]]
    """Task -> rule scorers and recorded judges."""
    recorded: dict[str, RecordedJudge]
    """Judge name -> a recorded judge (also among the scorers)."""
    asked: dict[str, AskedJudge]
    """Judge name -> a judge that asks a model."""


def open_engine(
    candidate: Candidate,
    data_folders: tuple[Path, ...],
    measure_timing: bool = False,
    say: Callable[[str], None] = say_nothing,
) -> Engine:
    """The candidate's engine, not started. Raises InputError for an unknown engine or wrong arguments."""
    engine: Engine = load("engines", candidate.engine)(candidate, EngineContext(data_folders, measure_timing, say))
    return engine


def system_of(candidate: Candidate) -> str:
    """The name under which labels and recorded verdicts know a candidate's answers."""
    return str(candidate.engine_args.get("system", candidate.name))


def judge_places(loaded: LoadedSuite) -> dict[str, Place]:
    """The judges a suite's tasks name, each with the place where it is first named."""
    places: dict[str, Place] = {}
    for task in loaded.suite.tasks:
        for spec in task.scorers:
            if spec.judge is not None:
                places.setdefault(spec.judge, loaded.scorer_place(task.name, spec.name))
    return places


def bind(
    loaded: LoadedSuite, candidate: Candidate, judges: Mapping[str, str | Candidate], data_folders: tuple[Path, ...]
) -> Binding:
    """Make every scorer and judge of a suite. `judges`: judge name -> candidate, itself or as given with `--judge`."""
    places = judge_places(loaded)
    unknown = [name for name in judges if name not in places]
    if unknown:
        raise unknown_name("--judge: judge", unknown[0], places, hint=f"Suite {loaded.suite.name} asks these.")
    recorded: dict[str, RecordedJudge] = {}
    asked: dict[str, AskedJudge] = {}
    for name, place in places.items():
        judge = load_judge(name, data_folders, place=place)
        if judge.verdict_file is not None:
            recorded[name] = _recorded(judge, name, candidate, judges)
        else:
            asked[name] = _asked(judge, name, judges, place)
    scorers = {
        task.name: [
            scorer
            for spec in task.scorers
            for scorer in _scorers(loaded, task, spec, candidate, recorded, data_folders)
        ]
        for task in loaded.suite.tasks
    }
    return Binding(scorers, recorded, asked)


def check_metric_labels(loaded: LoadedSuite, binding: Binding) -> None:
    """Raise InputError for a share whose labels its scorer or judge never gives: it would be 0 % for ever."""
    known = {
        (task, scorer.name): scorer.labels
        for task, scorers in binding.scorers.items()
        for scorer in scorers
        if not isinstance(scorer, RecordedLabels)  # people need not have given every label yet
    }
    asked = {name: judge.loaded.spec.scale.labels for name, judge in binding.asked.items()}
    for task in loaded.suite.tasks:
        for metric in task.metrics:
            labels = known.get((task.name, metric.scorer), ()) or asked.get(metric.judge or "", ())
            unknown = [label for label in metric.labels if labels and label not in labels]
            if unknown:
                place = loaded.metric_place(task.name, metric.name)
                raise unknown_name(
                    f"metric {metric.name}: label", unknown[0], labels, place, f"{metric.scorer} gives these."
                )


def check_joins(binding: Binding, candidate: Candidate) -> None:
    """Raise InputError when a file of labels or verdicts holds nothing about this candidate's answers."""
    system = system_of(candidate)
    sources: list[RecordedJudge | RecordedLabels] = list(binding.recorded.values())
    sources += [
        scorer for scorers in binding.scorers.values() for scorer in scorers if isinstance(scorer, RecordedLabels)
    ]
    for source in sources:
        if source.rows_for_system == 0:
            what = "verdicts of judge" if isinstance(source, RecordedJudge) else "labels for scorer"
            raise unknown_name(
                f"{what} {source.name}: system", system, source.systems, Place(source.path), "They join no answer."
            )


def _recorded(
    judge: LoadedJudge, name: str, candidate: Candidate, judges: Mapping[str, str | Candidate]
) -> RecordedJudge:
    if name in judges:
        raise InputError(f"--judge {name}={judges[name]}: judge {name} is recorded; it asks no model")
    assert judge.verdict_file is not None
    return RecordedJudge(judge.spec, name, judge.verdict_file, system_of(candidate))


def _asked(judge: LoadedJudge, name: str, judges: Mapping[str, str | Candidate], place: Place) -> AskedJudge:
    named = judges.get(name, judge.candidate)
    if named is None:
        raise InputError(f"judge {name} has no model to ask: name one with --judge {name}=CANDIDATE", place)
    return AskedJudge(judge, named if isinstance(named, Candidate) else load_candidate(named))


def _scorers(
    loaded: LoadedSuite,
    task: Task,
    spec: ScorerSpec,
    candidate: Candidate,
    recorded: Mapping[str, RecordedJudge],
    data_folders: tuple[Path, ...],
) -> list[PassScorer]:
    """What a task's scorer stands for in the scoring pass; a judge that asks a model has a pass of its own."""
    if spec.judge is not None:
        judge = recorded.get(spec.judge)
        return [] if judge is None else list(judge.scorers)
    place = loaded.scorer_place(task.name, spec.name)
    context = ScorerContext(task, candidate, system_of(candidate), loaded.folder, data_folders, place)
    return [load("scorers", spec.scorer, place)(spec, context)]
