"""A suite: tasks, the metrics that are read off their scores, and what they are sliced by."""

from typing import Any, Literal

from pydantic import Field, model_validator

from evalkit.core.noun import Noun
from evalkit.core.request import Sampling
from evalkit.core.sample import Sample

Kind = Literal["quality", "safety", "cost", "latency"]


class DataSource(Noun):
    """Where a task's samples come from."""

    file: str | None = None
    """JSON lines (`.gz` too), CSV or parquet: beside the suite's YAML, or in a `--data` folder."""
    hub: str | None = None
    """A Hugging Face dataset id instead of a file; `revision` is then required."""
    revision: str | None = None
    config: str | None = None
    split: str | None = None
    columns: dict[str, str] = {}
    """Sample field -> the row's column (`id: item_id`, `tags.hazard: meta.hazard`). Other columns go into metadata."""

    @model_validator(mode="after")
    def _one_source(self) -> "DataSource":
        if (self.file is None) == (self.hub is None):
            raise ValueError("data comes from `file:` or from `hub:`, one of them")
        if self.hub is not None and self.revision is None:
            raise ValueError("a hub dataset needs `revision:` (a commit), or two runs may not ask the same")
        return self


class ScorerSpec(Noun):
    """One scorer of a task. In YAML: a name (`exact`, `judge:refusal`) or `{scorer: pattern, name: has_date,
    pattern: ...}`.
    """

    scorer: str
    """A built-in or a plugin's scorer, or `judge:NAME`."""
    name: str
    """How the task's metrics speak of it; by default the scorer's own name."""
    options: dict[str, Any] = {}

    @property
    def judge(self) -> str | None:
        """The judge's name where the scorer is one; None for a rule or people's labels."""
        head, colon, name = self.scorer.partition(":")
        return name if colon and head == "judge" else None


class MetricSpec(Noun):
    """How a task's scores become one number."""

    name: str
    scorer: str
    """The scorer's name in the task; `judge:NAME/criterion` where a judge has several criteria."""
    reduce: Literal["mean", "share"] = "mean"
    """mean of values, or share of samples whose label is in `labels`."""
    labels: tuple[str, ...] = ()
    """share: the labels that count."""
    where: dict[str, str | tuple[str, ...]] = {}
    """Only samples whose columns have these values."""
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
    """Of values whose scorer has no unit of its own; a share's unit is `share`."""

    @property
    def judge(self) -> str | None:
        """The judge whose scores it reads; None for a rule or people's labels.

        >>> MetricSpec(name="r", scorer="judge:refusal/tone").judge
        'refusal'
        """
        head, colon, name = self.scorer.partition(":")
        return name.partition("/")[0] if colon and head == "judge" else None

    @property
    def criterion(self) -> str:
        """The judge's criterion, where the metric names one."""
        return self.scorer.partition("/")[2] if self.judge is not None else ""

    def speaks_of(self, sample: Sample) -> bool:
        """Whether a sample has the values that `where` asks for. Raises KeyError for a name that is no column."""
        return all(
            sample.column(column) in ((wanted,) if isinstance(wanted, str) else wanted)
            for column, wanted in self.where.items()
        )

    @model_validator(mode="after")
    def _share_names_its_labels(self) -> "MetricSpec":
        if (self.reduce == "share") != bool(self.labels):
            raise ValueError("`labels:` (those that count) goes with `reduce: share`, and only with it")
        return self


class Task(Noun):
    """Samples, how they are asked, and how answers are scored."""

    name: str
    kind: Kind = "quality"
    data: DataSource
    prompt: str | None = None
    """Text with `{{ input }}`; None = the input as it is."""
    sampling: Sampling = Sampling()
    scorers: tuple[ScorerSpec, ...] = Field(min_length=1)
    metrics: tuple[MetricSpec, ...] = ()
    slices: tuple[tuple[str, ...], ...] = ()
    """Column sets to slice by, e.g. [[language], [language, tags.hazard]]."""
    on_candidate_failure: Literal["wrong", "missing"] = "wrong"
    """What a candidate's failure counts as: the worst value of a share or a 0..1 score, or missing."""


class Suite(Noun):
    """Tasks that are run and reported together."""

    name: str
    version: int = 1
    description: str = ""
    licence: str = ""
    """Licence of its data."""
    report: str = "release"
    """The report (sections and gates) that `compare` uses unless told otherwise."""
    tasks: tuple[Task, ...] = Field(min_length=1)
    digest: str = ""
    """Digest of everything a result depends on: tasks, prompts, data; filled by the loader."""

    @property
    def metrics(self) -> dict[str, tuple[Task, MetricSpec]]:
        """`TASK.METRIC` -> its task and spec, in the suite's order."""
        return {f"{task.name}.{metric.name}": (task, metric) for task in self.tasks for metric in task.metrics}

    @model_validator(mode="after")
    def _task_names_differ(self) -> "Suite":
        names = [task.name for task in self.tasks]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ValueError(f"task names must differ: {', '.join(sorted(doubled))} is there twice")
        return self
