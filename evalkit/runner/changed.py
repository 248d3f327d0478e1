"""Give the samples that changed side their text: prompt, both answers, both scores with their reasons."""

from collections.abc import Iterable

from evalkit.comparison.transitions import ChangedSample
from evalkit.core.comparison import Changed, Comparison
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.core.suite import Suite
from evalkit.runner.answers import iter_answers
from evalkit.runner.table import columns_of, current_digests
from evalkit.store.records import read_records
from evalkit.store.rundir import RunDirectory

Wanted = frozenset[tuple[str, str]]
"""(task, sample id)."""
_Answers = dict[tuple[str, str], tuple[Sample, Response]]
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
            "baseline_text": old.text,
            "candidate_text": new.text,
            "baseline_reason": old_score.reason if old_score else "",
            "candidate_reason": new_score.reason if new_score else "",
        }
    )


def _answers(directory: RunDirectory, wanted: Wanted) -> _Answers:
    """The first attempt's answer to each wanted sample."""
    found: _Answers = {}
    for answer in iter_answers(directory):
        about = (answer.task, answer.sample.id)
        if about in wanted:
            found.setdefault(about, (answer.sample, answer.response))
    return found


def _scores(directory: RunDirectory, wanted: Wanted) -> _Scores:
    digests = {task.name: current_digests(directory.manifest, task) for task in directory.manifest.suite.tasks}
    found: _Scores = {}
    for _, score in _first_attempts(read_records(directory.scores, Score)):
        about = (score.key.task, score.key.sample_id)
        if about in wanted and digests[score.key.task].get(score.scorer) == score.scorer_digest:
            found[(*about, score.scorer)] = score
    return found


def _first_attempts(scores: Iterable[tuple[int, Score]]) -> Iterable[tuple[int, Score]]:
    return ((offset, score) for offset, score in scores if score.key.attempt == 0)


def _score_text(score: Score | None) -> str:
    if score is None:
        return "no score"
    if score.failure is not None:
        return f"{score.failure.kind} ({score.failure.blame})"
    return score.label if score.label is not None else f"{score.value:g}"
