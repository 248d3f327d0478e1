"""Recorded labels and recorded verdicts as scorers: what people, or a judge, said of these very answers before.

    {"item_id": "x-1", "system": "a", "annotator": "adjudicated", "criterion": "refusal", "value": "full"}
    {"item_id": "x-1", "system": "a", "judge": "gpt-4", "criterion": "refusal", "value": null, "raw": "I'm sorry"}

Both join by sample id and the candidate's system. A sample without a label, and a verdict that could not be read, are
missing by the fault of labels and judge: never a zero of the model's.
"""

from pathlib import Path
from typing import Any

from pydantic import field_validator

from evalkit.core.digest import digest_of_file
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.core.failure import Failure
from evalkit.core.judge import JudgeSpec, recorded_judge_digest
from evalkit.core.noun import Noun
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.scale import Scale
from evalkit.core.score import Score
from evalkit.core.suite import ScorerSpec
from evalkit.scorers.base import ScorerContext, failed_score, scorer_digest
from evalkit.scorers.recorded_rows import RecordedTable, Wanted, as_label, read_table
from evalkit.scorers.rows import find_rows_file
from evalkit.scorers.rule import Found, RuleScorer, quoted
from evalkit.scorers.score_names import score_name


class RecordedLabelsOptions(Noun):
    """Options of `labels`."""

    file: str
    """JSON lines, beside the suite's YAML or in a `--data` folder."""
    criterion: str
    annotator: str
    """A person's pseudonym, or an aggregate such as `adjudicated`."""
    collapse: dict[str, str] = {}
    """Label -> the label it counts as; a label that is not named stays as it is."""

    @field_validator("collapse", mode="before")
    @classmethod
    def _labels_are_text(cls, collapse: Any) -> Any:
        """YAML reads `{1: low}` with a number as its key."""
        if not isinstance(collapse, dict):
            return collapse
        return {as_label(float(key)) if type(key) in (int, float) else key: label for key, label in collapse.items()}


class RecordedLabels(RuleScorer[RecordedLabelsOptions]):
    """What an annotator said of each answer: a label, or a number."""

    options_type = RecordedLabelsOptions
    unit = ""

    def __init__(self, spec: ScorerSpec, context: ScorerContext):
        super().__init__(spec, context)
        options = self.options
        folders = (context.suite_folder, *context.data_folders)
        self.path = find_rows_file(options.file, folders, context.place)
        self.digest = scorer_digest(spec, self.version, file=digest_of_file(self.path))
        wanted = Wanted({"annotator": options.annotator}, (options.criterion,), context.system, context.task.name)
        self._table = read_table(self.path, wanted, context.place)
        self._refuse_ambiguous()
        self._check_collapse()
        self.systems = self._table.systems
        """Every system this annotator labelled by this criterion."""
        self.rows_for_system = self._table.rows_for_system
        """Labels of this candidate's system; 0 = the labels join no response."""
        self.labels = tuple(sorted({options.collapse.get(value, value) for value in self._table.values}))

    def find(self, sample: Sample, response: Response) -> Found:
        """The label of this answer. No row, or null, is missing, and not the candidate's doing."""
        options = self.options
        row = self._table.of(options.criterion, response)
        if row is None or row.value is None:
            why = "there is none" if row is None else f"it is null in line {row.line}"
            message = f'no label by {options.annotator} on {options.criterion} for sample "{sample.id}": {why}'
            failure = Failure(
                blame="judge", stage="score", kind="not_labelled", message=f"{message} ({self.path.name})"
            )
            return Found(failure=failure)
        said = as_label(row.value)
        if said in options.collapse:
            return Found(label=options.collapse[said], reason=f"{said} by {options.annotator}")
        return Found(value=row.value) if type(row.value) is float else Found(label=said)

    def _refuse_ambiguous(self) -> None:
        """With several answers to a sample, a label must say which of them it is about."""
        attempts = self.context.task.sampling.attempts
        if attempts == 1:
            return
        for (item, attempt, digest), row in self._table.rows[self.options.criterion].items():
            if attempt is None and digest is None:
                raise InputError(
                    f'the label of item "{item}" does not say which of the {attempts} answers it is '
                    "about. Add `attempt` (from 0) or `response_digest`, or ask for one attempt",
                    Place(self.path, row.line),
                )

    def _check_collapse(self) -> None:
        for label in self.options.collapse:
            if label not in self._table.values:
                raise unknown_name(
                    f'scorer "{self.name}": collapse: label', label, self._table.values, self.context.place
                )


class RecordedJudge:
    """A judge whose verdicts lie in a file: one scorer for each of its criteria, from one reading of the file."""

    def __init__(self, spec: JudgeSpec, name: str, file: Path, system: str, place: Place | None = None):
        """name: how suites name the judge. system: the candidate, as the file names it.

        Raises InputError for a file that does not hold the judge's verdicts; a system without any is no error here.
        """
        assert spec.recorded is not None, "a recorded judge says where its verdicts are"
        recorded = spec.recorded
        self.spec = spec
        self.name = name
        self.path = file
        self.digest = recorded_judge_digest(digest_of_file(file), recorded)
        source = {"judge": recorded.judge, "prompting": recorded.prompting, "order": recorded.order}
        table = read_table(file, Wanted(source, spec.criteria, system), place)
        self.systems = table.systems
        """Every system this judge's verdicts are about."""
        self.rows_for_system = table.rows_for_system
        """Verdicts on this candidate's system; 0 = the verdicts join no response."""
        self.scorers = tuple(RecordedCriterion(self, criterion, table) for criterion in spec.criteria)

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names its scores carry: `judge:NAME`, or `judge:NAME/criterion` for each of several."""
        return tuple(scorer.name for scorer in self.scorers)


class RecordedCriterion:
    """A recorded judge's verdicts by one criterion."""

    unit = ""

    def __init__(self, judge: RecordedJudge, criterion: str, table: RecordedTable):
        self.name = score_name(judge.name, judge.spec.criteria, criterion)
        self.digest = judge.digest
        self.labels = judge.spec.scale.labels
        self._scale = judge.spec.scale
        self._criterion = criterion
        self._table = table

    def score(self, sample: Sample, response: Response) -> Score:
        """The recorded verdict as it is; null is the judge's failure, with the judge's words kept."""
        if response.failure is not None:
            return failed_score(self, response, response.failure)
        row = self._table.of(self._criterion, response)
        if row is None:
            message = f'{self._table.path.name} holds no verdict on sample "{sample.id}"'
            return failed_score(self, response, _unread("not_recorded", message))
        value, label = (None, None) if row.value is None else _on_scale(row.value, self._scale)
        failure = None
        if row.value is None:
            failure = _unread("unreadable", f"line {row.line} holds no verdict; the judge wrote {quoted(row.raw)}")
        elif value is None and label is None:
            failure = _unread("not_on_scale", f"line {row.line}: {row.value!r} is not on the scale {self._scale}")
        return Score(
            key=response.key,
            scorer=self.name,
            scorer_digest=self.digest,
            response_digests=(response.digest,),
            value=value,
            label=label,
            failure=failure,
            reason=row.raw,
        )


def _unread(kind: str, message: str) -> Failure:
    return Failure(blame="judge", stage="read", kind=kind, message=message)


def _on_scale(said: str | float | bool, scale: Scale) -> tuple[float | None, str | None]:
    """A recorded value as (value, label); (None, None) when the scale has no place for it."""
    if scale.kind == "interval":
        return (said, None) if type(said) is float else (None, None)
    if isinstance(said, bool) and scale.kind == "binary" and scale.labels:
        return None, scale.labels[int(said)]
    label = as_label(said)
    return None, (label if not scale.labels or label in scale.labels else None)
