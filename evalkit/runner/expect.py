"""What a run would ask and cost, and how small a drop it could find: without asking anything."""

from collections import Counter
from dataclasses import dataclass, field

from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate, Price
from evalkit.core.estimate import Slice
from evalkit.core.sample import Sample
from evalkit.core.suite import Task
from evalkit.runner.bind import bind
from evalkit.runner.plan import planned_samples, requests_of, sampling_of
from evalkit.runner.run import RunSettings
from evalkit.stats.power import smallest_detectable_drop_planned

BYTES_PER_TOKEN = 4.0
"""UTF-8 bytes per token, a rule of thumb across scripts; said as "about" wherever it is shown."""


@dataclass(frozen=True)
class SliceExpectation:
    """How many samples a slice has, and what they could show."""

    slice: Slice
    n: int
    smallest_detectable_drop: float
    """Of a share, one-sided 5 %, power .8, when a tenth of the samples differ between the runs."""


@dataclass
class TaskExpectation:
    """What one task would ask."""

    task: str
    samples: int = 0
    requests: int = 0
    judge_requests: int = 0
    """At least: a verdict that cannot be read is asked for again."""
    prompt_tokens: int = 0
    """About."""
    most_output_tokens: int = 0
    """When every answer is as long as it may be."""
    slices: list[SliceExpectation] = field(default_factory=list)


@dataclass(frozen=True)
class RunExpectation:
    """What a run would ask."""

    tasks: tuple[TaskExpectation, ...]
    most_cost_usd: float | None
    """About, at most, without judges; None = the candidate has no price per token."""


def expect_run(loaded: LoadedSuite, candidate: Candidate, settings: RunSettings) -> RunExpectation:
    """Count a run's requests by planning it. Raises InputError for whatever would stop the run at its start."""
    binding = bind(loaded, candidate, settings.judges, settings.data_folders)
    expected = {task.name: TaskExpectation(task.name) for task in loaded.suite.tasks}
    sizes: dict[str, Counter[tuple[tuple[str, str], ...]]] = {name: Counter() for name in expected}
    for task, sample in planned_samples(loaded, settings.filter, settings.data_folders):
        _count(expected[task.name], task, sample, candidate)
        sizes[task.name].update(_slices(task, sample))
    for task in loaded.suite.tasks:
        verdicts = [
            judge.loaded.spec
            for name, judge in binding.asked.items()
            if any(spec.judge == name for spec in task.scorers)
        ]
        per_answer = sum(len(spec.criteria) * spec.votes for spec in verdicts)
        expected[task.name].judge_requests = per_answer * expected[task.name].requests
        expected[task.name].slices = [
            SliceExpectation(dict(key), n, smallest_detectable_drop_planned(n))
            for key, n in sorted(sizes[task.name].items())
        ]
    asked = tuple(task for task in expected.values() if task.samples)
    return RunExpectation(asked, _most_cost_usd(asked, candidate.price))


def _count(expected: TaskExpectation, task: Task, sample: Sample, candidate: Candidate) -> None:
    expected.samples += 1
    for request in requests_of(task, sample, candidate):
        size = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)
        expected.requests += 1
        expected.prompt_tokens += round(size / BYTES_PER_TOKEN)
        expected.most_output_tokens += sampling_of(task, candidate).max_tokens


def _slices(task: Task, sample: Sample) -> list[tuple[tuple[str, str], ...]]:
    found: list[tuple[tuple[str, str], ...]] = [()]
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
