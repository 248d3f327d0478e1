"""Load a suite: its YAML with short forms written out, its prompts as text, its data found and hashed.

    data: data/support.jsonl          ->  data: {file: data/support.jsonl}
    scorers: [exact]                  ->  scorers: [{scorer: exact, name: exact}]
    prompt: prompts/answer.txt        ->  prompt: the file's text

Reading the samples is not done here: see datasets.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.content.columns import FAMILIES, check_sample_field, check_slice_column
from evalkit.content.locate import find, find_data
from evalkit.content.parse import Parsed, load_yaml, validate
from evalkit.content.prompts import PromptText, check_placeholders, read_prompt
from evalkit.content.sentences import Step
from evalkit.core.digest import digest_of, digest_of_file
from evalkit.core.errors import InputError, Place, nearest_name, unknown_name
from evalkit.core.suite import DataSource, MetricSpec, ScorerSpec, Suite, Task

PROMPT_NAMES = ("input", "target", "language", "source_language", "choices")
"""What a task's prompt may ask for, beside `tags.NAME` and `metadata.NAME`."""
LOWER_IS_BETTER = ("output_tokens", "cost")
"""Scorers whose default metric is better when lower."""


@dataclass(frozen=True)
class LoadedSuite:
    """A suite with what is known of its files."""

    suite: Suite
    folder: Path
    places: Parsed
    data_files: dict[str, Path]
    """Task -> its data file; a task whose data comes from the hub is not in it."""
    data_digests: dict[str, str]
    """Task -> digest of its data file's bytes, or of the hub dataset's id and revision."""

    def scorer_place(self, task: str, scorer: str) -> Place:
        """Where a task names a scorer."""
        names = [spec.name for spec in self.suite.tasks[self._index(task)].scorers]
        return self.places.place("tasks", self._index(task), "scorers", names.index(scorer), "scorer")

    def metric_place(self, task: str, metric: str) -> Place:
        """Where a task defines a metric; its scorer where the metric was not written out."""
        index = self._index(task)
        written = self.places.value["tasks"][index].get("metrics")
        names = [spec.name for spec in self.suite.tasks[index].metrics]
        return self.places.place("tasks", index, "metrics" if written else "scorers", names.index(metric))

    def _index(self, task: str) -> int:
        return [known.name for known in self.suite.tasks].index(task)


def load_suite(
    name_or_path: str | Path, data_folders: Iterable[Path] = (), extra_folders: Iterable[Path] = ()
) -> LoadedSuite:
    """Find and read a suite. Raises InputError, with file:line:column, for everything that is wrong in its files."""
    folders = tuple(data_folders)
    parsed, folder = _open(name_or_path, extra_folders)
    suite = validate(parsed, Suite, _in_full(parsed, folder), filled=("digest",))
    for index, task in enumerate(suite.tasks):
        _check_task(task, parsed, index)
    suite = suite.model_copy(update={"tasks": tuple(_with_metrics(task) for task in suite.tasks)})
    data_files = {
        task.name: find_data(task.data.file, folder, folders, parsed.place("tasks", index, "data", "file"))
        for index, task in enumerate(suite.tasks)
        if task.data.file is not None
    }
    digests = _data_digests(suite, data_files)
    suite = suite.model_copy(update={"digest": _suite_digest(suite, digests)})
    return LoadedSuite(suite, folder, parsed, data_files, digests)


def _open(name_or_path: str | Path, extra_folders: Iterable[Path]) -> tuple[Parsed, Path]:
    file = find("suites", name_or_path, extra_folders)
    return load_yaml(file), file.parent


def _in_full(parsed: Parsed, folder: Path) -> dict[str, Any]:
    """The file's value with short forms written out. What has the wrong shape is left for `validate` to refuse."""
    tasks = parsed.value.get("tasks")
    if not isinstance(tasks, list):
        return parsed.value
    return parsed.value | {"tasks": [_task_in_full(parsed, index, task, folder) for index, task in enumerate(tasks)]}


def _task_in_full(parsed: Parsed, index: int, task: Any, folder: Path) -> Any:
    if not isinstance(task, dict):
        return task
    full = dict(task)
    if isinstance(task.get("data"), str):
        full["data"] = {"file": task["data"]}
    if isinstance(task.get("prompt"), str):
        full["prompt"] = _prompt(parsed, ("tasks", index, "prompt"), task["prompt"], folder).text
    full.update(_each_in_full(task, "scorers", _scorer_in_full))
    full.update(_each_in_full(task, "slices", lambda columns: [columns] if isinstance(columns, str) else columns))
    return full


def _each_in_full(task: dict[str, Any], name: str, in_full: Callable[[Any], Any]) -> dict[str, Any]:
    entries = task.get(name)
    return {name: [in_full(entry) for entry in entries]} if isinstance(entries, list) else {}


def _scorer_in_full(scorer: Any) -> Any:
    if isinstance(scorer, str):
        return {"scorer": scorer, "name": scorer}
    # A mapping without `scorer` is refused by the noun: with the key that was mistyped, if there is one.
    if not isinstance(scorer, dict) or ("scorer" not in scorer and nearest_name("scorer", scorer)):
        return scorer
    named = {key: scorer[key] for key in ("scorer", "name") if key in scorer}
    options = {key: value for key, value in scorer.items() if key not in named}
    return {"name": scorer.get("scorer", "")} | named | {"options": options}


def _prompt(parsed: Parsed, steps: tuple[Step, ...], written: str, folder: Path) -> PromptText:
    prompt = read_prompt(parsed, steps, written, folder)
    check_placeholders(prompt, PROMPT_NAMES, FAMILIES)
    return prompt


def _check_task(task: Task, parsed: Parsed, index: int) -> None:
    """What a noun cannot check alone: names that refer to each other, and columns."""
    at: tuple[Step, ...] = ("tasks", index)
    if "." in task.name or "/" in task.name:
        message = f'task name "{task.name}" holds "." or "/", which part names such as TASK.METRIC; use "-" or "_"'
        raise InputError(message, parsed.place(*at, "name"))
    _refuse_doubles([spec.name for spec in task.scorers], "scorer", parsed, (*at, "scorers"))
    _refuse_doubles([metric.name for metric in task.metrics], "metric", parsed, (*at, "metrics"))
    for number, metric in enumerate(task.metrics):
        _check_metric(metric, task.scorers, parsed, (*at, "metrics", number))
    for number, columns in enumerate(task.slices):
        for column in columns:
            check_slice_column(column, parsed.place_of_text(column, *at, "slices", number))
    for field in task.data.columns:
        check_sample_field(field, parsed.key_place(*at, "data", "columns", field))
    if task.data.hub is not None and task.data.split is None:
        raise InputError("a hub dataset needs `split:`, such as test", parsed.place(*at, "data"))


def _refuse_doubles(names: list[str], kind: str, parsed: Parsed, at: tuple[Step, ...]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            mend = "Give one of them another `name:`" if kind == "scorer" else "Give one of them another name"
            raise InputError(f'{kind} "{name}" is here twice. {mend}.', parsed.place(*at, number, "name"))


def _check_metric(metric: MetricSpec, scorers: tuple[ScorerSpec, ...], parsed: Parsed, at: tuple[Step, ...]) -> None:
    names = [spec.name for spec in scorers]
    # A judge with several criteria gives one score for each, under `judge:NAME/criterion`.
    judges = [spec.name for spec in scorers if spec.judge is not None]
    if metric.scorer not in names and not any(metric.scorer.startswith(f"{judge}/") for judge in judges):
        raise unknown_name("scorer", metric.scorer, names, parsed.place(*at, "scorer"), "List it under `scorers:`.")
    for column in metric.where:
        check_slice_column(column, parsed.key_place(*at, "where", column), also=("id",))


def _with_metrics(task: Task) -> Task:
    """A task that defines no metric has the mean of each of its scorers; a judge's labels have no mean."""
    if task.metrics:
        return task
    means = tuple(
        MetricSpec(name=spec.name, scorer=spec.name, better="lower" if spec.scorer in LOWER_IS_BETTER else "higher")
        for spec in task.scorers
        if spec.judge is None
    )
    return task.model_copy(update={"metrics": means})


def _data_digests(suite: Suite, data_files: dict[str, Path]) -> dict[str, str]:
    of_file = {file: digest_of_file(file) for file in set(data_files.values())}
    return {
        task.name: of_file[data_files[task.name]] if task.name in data_files else _hub_digest(task.data)
        for task in suite.tasks
    }


def _hub_digest(data: DataSource) -> str:
    return digest_of([data.hub, data.revision, data.config, data.split])


def _suite_digest(suite: Suite, data_digests: dict[str, str]) -> str:
    """Over all that a result depends on: not over words about the suite, nor over where its data lies."""
    described = suite.model_dump(mode="json", exclude={"description", "licence", "report", "digest"})
    for task in described["tasks"]:
        del task["data"]["file"]
    return digest_of({"suite": described, "data": data_digests})
