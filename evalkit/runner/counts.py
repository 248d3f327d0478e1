"""Count what a run holds, failures by blame and by kind: for the manifest and for every denominator."""

from collections import Counter
from collections.abc import Iterator

from evalkit.core.manifest import RunManifest
from evalkit.core.score import Score
from evalkit.runner.answers import iter_answers
from evalkit.runner.table import current_digests
from evalkit.store.index import read_last
from evalkit.store.keys import score_key_of
from evalkit.store.rundir import RunDirectory


def count_run(directory: RunDirectory) -> dict[str, int]:
    """responses, failed_candidate, failed_system (of the answers), failed_judge (of the scores), and `BLAME:KIND`.

    from_cache: answers that an earlier run was given. unjudged: scores that a judge's engine or server, not the judge,
    failed to give; by kind too.
    """
    counted: Counter[str] = Counter(responses=0, from_cache=0, failed_candidate=0, failed_system=0, failed_judge=0)
    tokens: Counter[str] = Counter()
    for answer in iter_answers(directory):
        failure = answer.response.failure
        counted["responses"] += failure is None or failure.blame != "system"
        counted["from_cache"] += answer.response.from_cache
        tokens["prompt_tokens"] += answer.response.usage.prompt_tokens or 0
        tokens["output_tokens"] += answer.response.usage.output_tokens or 0
        if failure is not None:
            counted[f"failed_{failure.blame}"] += 1
            counted[f"{failure.blame}:{failure.kind}"] += 1
    for score in _current_scores(directory, directory.manifest):
        counted["scores"] += 1
        if score.failure is not None and score.failure.blame == "judge":
            counted["failed_judge"] += 1
            counted[f"judge:{score.failure.kind}"] += 1
        elif score.failure is not None and score.failure.blame == "system" and score.failure.stage == "judge":
            counted["unjudged"] += 1
            counted[f"unjudged:{score.failure.kind}"] += 1
    return dict(counted) | {name: total for name, total in tokens.items() if total}


def _current_scores(directory: RunDirectory, manifest: RunManifest) -> Iterator[Score]:
    wanted = {task.name: current_digests(manifest, task) for task in manifest.suite.tasks}
    for _, score in read_last(directory.scores, Score, score_key_of):
        if wanted[score.key.task].get(score.scorer) == score.scorer_digest:
            yield score
