"""What a run would ask and cost, and how small a drop it could find: without asking anything."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evalkit.comparison.trust import judge_trust
from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate, Price
from evalkit.core.estimate import Slice
from evalkit.core.judge import asked_judge_digest
from evalkit.core.manifest import BoundJudge
from evalkit.core.request import Request
from evalkit.core.sample import Sample
from evalkit.core.suite import Task
from evalkit.engines.base import model_identity
from evalkit.runner.bind import Binding, bind, check_joins, open_engine
from evalkit.runner.cards import cards_of
from evalkit.runner.plan import planned_samples
from evalkit.runner.requests import RequestMaker, sampling_of
from evalkit.runner.run import RunSettings
from evalkit.stats.power import smallest_detectable_drop_planned

BYTES_PER_TOKEN = 4.0
"""UTF-8 bytes per token, a rule of thumb across scripts; said as "about" wherever it is shown."""

SliceKey = tuple[tuple[str, str], ...]
"""A slice as (column, value) pairs."""


@dataclass(frozen=True)
class MetricExpectation:
    """How many samples a metric speaks of in a slice, and what they could show."""

    metric: str
    slice: Slice
    n: int
    n_clusters: int
    smallest_detectable_drop: float
    """Of a share, against no difference at all, one-sided 5 %, power .8, when a tenth of the clusters differ."""


@dataclass
class TaskExpectation:
    """What one task would ask."""

    task: str
    samples: int = 0
    requests: int = 0
    judge_requests: int = 0
    """At least: a verdict that cannot be read is asked for again."""
    prompt_tokens: int = 0
    """About; without the judges'."""
    most_output_tokens: int = 0
    """When every answer is as long as it may be; without the judges'."""


@dataclass(frozen=True)
class JudgeExpectation:
    """What is known of a judge before it is asked."""

    judge: str
    model: str
    """Of the candidate that answers for it; `recorded` for recorded verdicts."""
    standing: str
    """What its card says, or that it has none."""


@dataclass(frozen=True)
class RunExpectation:
    """What a run would ask."""

    candidate: str
    tasks: tuple[TaskExpectation, ...]
    metrics: tuple[MetricExpectation, ...]
    judges: tuple[JudgeExpectation, ...]
    most_cost_usd: float | None
    """About, at most, without judges; None = the candidate has no price per token."""


def expect_run(
    loaded: LoadedSuite, candidate: Candidate, settings: RunSettings, cards: tuple[Path, ...] = ()
) -> RunExpectation:
    """Count a run's requests by planning it. Raises InputError for whatever would stop the run at its start."""
    binding = bind(loaded, candidate, settings.judges, settings.data_folders)
    check_joins(binding, candidate)
    open_engine(candidate, (loaded.folder, *settings.data_folders))
    expected = {task.name: TaskExpectation(task.name) for task in loaded.suite.tasks}
    clusters: dict[tuple[str, SliceKey], Counter[str]] = {}
    makers = {task.name: RequestMaker(task, candidate) for task in loaded.suite.tasks}
    most_tokens = {task.name: sampling_of(task, candidate).max_tokens for task in loaded.suite.tasks}
    for task, sample in planned_samples(loaded, settings.filter, settings.data_folders):
        _count(expected[task.name], makers[task.name].requests_of(sample), most_tokens[task.name])
        for metric in task.metrics:
            if metric.speaks_of(sample):
                for key in _slices(task, sample):
                    clusters.setdefault((f"{task.name}.{metric.name}", key), Counter())[sample.cluster_id] += 1
    for task in loaded.suite.tasks:
        asked = {spec.judge for spec in task.scorers} & set(binding.asked)
        specs = [binding.asked[name].loaded.spec for name in asked if name is not None]
        verdicts = sum(len(spec.criteria) * spec.votes for spec in specs)
        expected[task.name].judge_requests = verdicts * expected[task.name].requests
    tasks = tuple(task for task in expected.values() if task.samples)
    return RunExpectation(
        candidate=candidate.name,
        tasks=tasks,
        metrics=tuple(_metric(name, key, found) for (name, key), found in clusters.items()),
        judges=tuple(_judges(binding, settings, cards)),
        most_cost_usd=_most_cost_usd(tasks, candidate.price),
    )


def _metric(name: str, key: SliceKey, clusters: Counter[str]) -> MetricExpectation:
    drop = smallest_detectable_drop_planned(len(clusters))
    return MetricExpectation(name, dict(key), clusters.total(), len(clusters), drop)


def _judges(binding: Binding, settings: RunSettings, cards: tuple[Path, ...]) -> Iterator[JudgeExpectation]:
    """Recorded judges by their digest; judges that ask a model by the identity their engine gives before it starts."""
    bound = {name: BoundJudge(spec=judge.spec, digest=judge.digest) for name, judge in binding.recorded.items()}
    for name, asked in binding.asked.items():
        engine = open_engine(asked.candidate, (asked.loaded.folder, *settings.data_folders))
        digest = asked_judge_digest(asked.loaded.spec, model_identity(engine, asked.candidate))
        bound[name] = BoundJudge(spec=asked.loaded.spec, candidate=asked.candidate, digest=digest)
    for trust in judge_trust(bound, cards_of(bound, cards)):
        model = bound[trust.judge].candidate
        yield JudgeExpectation(trust.judge, model.name if model else "recorded", f"{trust.fit_for}: {trust.because}")


def _count(expected: TaskExpectation, requests: Iterator[Request], most_output_tokens: int) -> None:
    expected.samples += 1
    for request in requests:
        size = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)
        expected.requests += 1
        expected.prompt_tokens += round(size / BYTES_PER_TOKEN)
        expected.most_output_tokens += most_output_tokens


def _slices(task: Task, sample: Sample) -> list[SliceKey]:
    found: list[SliceKey] = [()]
    for columns in task.slices:
        values = [(column, sample.column(column)) for column in columns]
        if all(value is not None for _, value in values):
            found.append(tuple((column, str(value)) for column, value in values))
    return found


def _most_cost_usd(tasks: tuple[TaskExpectation, ...], price: Price | None) -> float | None:
    if price is None or price.usd_per_million_input is None or price.usd_per_million_output is None:
        return None
    prompt, output = sum(task.prompt_tokens for task in tasks), sum(task.most_output_tokens for task in tasks)
    return (prompt * price.usd_per_million_input + output * price.usd_per_million_output) / 1e6
