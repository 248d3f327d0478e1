"""Give the samples that changed side their text: prompt, both answers, both scores with their reasons."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.comparison.transitions import ChangedSample
from evalkit.core.comparison import Changed, Comparison
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import Suite
from evalkit.runner.plan import PlannedSample
from evalkit.runner.table import columns_of, current_digests
from evalkit.store.records import read_rows_as_written
from evalkit.store.rundir import RunDirectory

Wanted = frozenset[tuple[str, str]]
"""(task, sample id)."""
_Answers = dict[tuple[str, str], tuple[Sample, str]]
_Scores = dict[tuple[str, str, str], Score]


def add_texts(
    comparison: Comparison, changed: list[ChangedSample], baseline: RunDirectory, candidate: RunDirectory, texts: bool
) -> Comparison:
    """The comparison with its changed samples; `texts` False: ids and scores' labels alone. Only those samples are
    kept in memory.
    """
    suite = candidate.manifest.suite
    wanted: Wanted = frozenset((sample.metric.partition(".")[0], sample.sample_id) for sample in changed)
    before, after = _answers(baseline, wanted), _answers(candidate, wanted)
    scored_before, scored_after = _scores(baseline, wanted), _scores(candidate, wanted)
    rows = [_changed(suite, sample, (before, scored_before), (after, scored_after), texts) for sample in changed]
    return comparison.model_copy(update={"changed": tuple(rows)})


def _changed(
    suite: Suite, sample: ChangedSample, before: tuple[_Answers, _Scores], after: tuple[_Answers, _Scores], texts: bool
) -> Changed:
    task, metric = suite.metrics[sample.metric]
    about = (task.name, sample.sample_id)
    asked, old = before[0][about]
    new = after[0][about][1]
    old_score, new_score = before[1].get((*about, metric.scorer)), after[1].get((*about, metric.scorer))
    shown = Changed(
        metric=sample.metric,
        transition=sample.transition,
        key={"task": task.name, "sample_id": sample.sample_id},
        slices={name: value for name in columns_of(task) if (value := asked.column(name)) is not None},
        language=asked.language,
        baseline_score=_score_text(old_score),
        candidate_score=_score_text(new_score),
    )
    if not texts:
        return shown
    return shown.model_copy(
        update={
            "prompt": asked.input or "\n".join(f"{message.role}: {message.content}" for message in asked.messages),
            "target": asked.target,
            "baseline_text": old,
            "candidate_text": new,
            "baseline_reason": old_score.reason if old_score else "",
            "candidate_reason": new_score.reason if new_score else "",
        }
    )


def _answers(directory: RunDirectory, wanted: Wanted) -> _Answers:
    """Each wanted sample and the text of the first attempt's last answer; "" = there is none.

    Of the other lines, of which there may be millions, only the key is looked at.
    """
    texts: dict[tuple[str, str], str] = {}
    for _, row in read_rows_as_written(directory.responses):
        if _about_first_attempt(row) in wanted:
            response = Response.model_validate(row)
            texts[response.key.task, response.key.sample_id] = response.text
    samples = (PlannedSample.model_validate(row) for row in _rows_of(directory.samples, wanted))
    return {
        (planned.task, planned.sample.id): (planned.sample, texts.get((planned.task, planned.sample.id), ""))
        for planned in samples
    }


def _rows_of(samples: Path, wanted: Wanted) -> Iterator[dict[str, Any]]:
    for _, row in read_rows_as_written(samples):
        if (row["task"], row["sample"]["id"]) in wanted:
            yield row


def _scores(directory: RunDirectory, wanted: Wanted) -> _Scores:
    digests = {task.name: current_digests(directory.manifest, task) for task in directory.manifest.suite.tasks}
    found: _Scores = {}
    for _, row in read_rows_as_written(directory.scores):
        if _about_first_attempt(row) in wanted:
            score = Score.model_validate(row)
            if digests[score.key.task].get(score.scorer) == score.scorer_digest:
                found[score.key.task, score.key.sample_id, score.scorer] = score
    return found


def _about_first_attempt(row: dict[str, Any]) -> tuple[str, str] | None:
    """Which sample a line is about; None for a later attempt."""
    key = row["key"]
    return None if key.get("attempt", 0) else (key["task"], key["sample_id"])


def _score_text(score: Score | None) -> str:
    if score is None:
        return "no score"
    if score.failure is not None:
        return f"{score.failure.kind} ({score.failure.blame})"
    return score.label if score.label is not None else f"{score.value:g}"
