"""Take the results of batch files into the run whose requests they answer, and score what can be scored by now.

    results.jsonl, errors.jsonl -> responses.jsonl and judging/<judge>/ -> scores.jsonl, counts, summary.json

A result is read as the engine openai_http reads an answer. Requests are walked in the order of the plan and looked up
in the results, so results may come in any order and in any number of portions; what is answered stays answered.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.content.suites import LoadedSuite
from evalkit.core.digest import digest_of_file
from evalkit.core.request import Request
from evalkit.core.response import Response
from evalkit.engines.batch_form import ENGINES, BatchForm, batch_form
from evalkit.runner.answers import iter_answers
from evalkit.runner.batch_ids import request_mark, run_mark
from evalkit.runner.batch_judge import bound_judge, is_system_failure, judge_names, score_settled, standings
from evalkit.runner.batch_results import BatchResults
from evalkit.runner.judging import bind_judges
from evalkit.runner.passes import finish
from evalkit.runner.progress import Progress, Silent, Tally
from evalkit.runner.run import RunSettings, bind_again, score_as_now
from evalkit.runner.score import PassScorer, score_one
from evalkit.runner.under_way import Run, tallied
from evalkit.store.index import index_finished, index_responses, index_scores
from evalkit.store.keys import key_digest, score_key_digest
from evalkit.store.records import RecordWriter, read_at, read_records
from evalkit.store.rundir import RunDirectory


@dataclass
class Imported:
    """What became of the results."""

    answers: int = 0
    """Taken in: answers, and failures of the candidate or the judge."""
    failures: int = 0
    """Taken in: failures of the system, which are asked again."""
    known: int = 0
    """About requests that were answered (or had failed the same way) before."""
    repeated: int = 0
    """Lines about a request that another line is about."""
    unknown: int = 0
    """Lines whose custom_id is none of this run's."""
    torn: tuple[Path, ...] = ()
    """Files that were cut off in their last line."""
    pending: int = 0
    """Requests of the candidate that have no answer yet."""
    pending_by_judge: dict[str, int] = field(default_factory=dict)
    """Judge -> requests that it can be asked now and has not answered."""


def import_results(
    directory: RunDirectory,
    loaded: LoadedSuite,
    files: Sequence[Path],
    settings: RunSettings,
    progress: Progress | None = None,
) -> Imported:
    """Take results in, then bring scores, counts and summary up to date.

    Raises InputError, with nothing taken in, for a file that holds no results or another run's, and for a suite that
    asks other questions now. Whether a run that is now complete may be relied on is said by `check_complete`.
    """
    progress = progress or Silent()
    form = batch_form(directory.manifest.candidate)
    binding = bind_again(directory, loaded, settings)
    with directory.lock():
        for name, size in directory.mend().items():
            progress.say(f"{name}: a torn last line of {size} bytes was cut; what it held is done again")
        found = Imported()
        with BatchResults(files, run_mark(directory.manifest)) as results:
            tally = Tally("results", results.requests)
            progress.begin(tally)
            matched = _take_in_answers(directory, form, results, found, tally)
            for name in judge_names(directory):
                if matched < results.requests:
                    matched += _take_in_verdicts(directory, name, results, found, tally)
            progress.end(tally)
            found.repeated, found.torn = results.repeated, results.torn
            found.unknown = results.unknown + results.requests - matched
        unbound = [name for name in binding.asked if name not in directory.manifest.judges]
        bind_judges(Run(directory, loaded, binding, None, settings.data_folders), unbound)
        score_as_now(directory, loaded, binding)
        _bring_up_to_date(directory, binding.scorers, found, progress)
        digests = [digest_of_file(file) for file in files]
        directory.log("imported", files=[str(file) for file in files], digests=digests, answers=found.answers)
    return found


class _Taker:
    """Takes results into one file of responses."""

    def __init__(self, path: Path, form: BatchForm, results: BatchResults, found: Imported, tally: Tally):
        self._path, self._form, self._results, self._found, self._tally = path, form, results, found, tally
        self._index = index_responses(path)
        self.matched = 0

    def take(self, request: Request, writer: RecordWriter, before: Callable[[Request], object]) -> None:
        """Take in the result of a request, if there is one and it says more than what is known. before: done first."""
        row = self._results.of(request_mark(request))
        if row is None:
            return
        self.matched += 1
        response = self._form.read(row, request)
        self._tally.add(response)
        about = key_digest(request.key, request.judge_key)
        offset = self._index.offset(about)
        if offset is not None and _says_nothing_new(read_at(self._path, offset, Response), response):
            self._found.known += 1
            return
        before(request)
        self._index.add(about, writer.append(response))
        if is_system_failure(response):
            self._found.failures += 1
        else:
            self._found.answers += 1


def _says_nothing_new(known: Response, response: Response) -> bool:
    if known.request_digest != response.request_digest:
        return False
    return not is_system_failure(known) or known.digest == response.digest


def _take_in_answers(
    directory: RunDirectory, form: BatchForm, results: BatchResults, found: Imported, tally: Tally
) -> int:
    """How many requests of the candidate the results are about."""
    taker = _Taker(directory.responses, form, results, found, tally)
    with RecordWriter(directory.responses) as writer:
        for _, request in read_records(directory.requests, Request):
            taker.take(request, writer, lambda request: None)
    return taker.matched


def _take_in_verdicts(directory: RunDirectory, name: str, results: BatchResults, found: Imported, tally: Tally) -> int:
    """How many requests of a judge the results are about."""
    judge, bound = bound_judge(directory, name)
    if bound.candidate is None or bound.candidate.engine not in ENGINES:
        return 0
    files = directory.judging(judge.name, judge.digest)
    taker = _Taker(files.responses, batch_form(bound.candidate), results, found, tally)
    with RecordWriter(files.requests) as references, RecordWriter(files.responses) as writer:
        for standing in standings(directory, judge):
            asked: Iterable[Request] = (*(request for request, _ in standing.asked), *standing.pending)
            for request in asked:
                taker.take(request, writer, lambda request: references.append(_reference(request)))
    return taker.matched


def _reference(request: Request) -> dict[str, object]:
    """A judge's request as it is kept: it is rendered again when needed."""
    kept = request.model_dump(mode="json", include={"key", "judge_key", "about"})
    return {"key": kept["key"], "judge_key": kept["judge_key"], "digest": request.digest, "about": kept["about"]}


def _bring_up_to_date(
    directory: RunDirectory,
    scorers: dict[str, list[PassScorer]],
    found: Imported,
    progress: Progress,
) -> None:
    total = directory.manifest.counts["requests"]
    found.pending = total - len(index_finished(directory.responses))
    # As in a run that asks by itself: what failed was asked too, and is only worth another try.
    all_asked = len(index_responses(directory.responses)) >= total
    for name in judge_names(directory):
        judge = bound_judge(directory, name)[0]
        found.pending_by_judge[name] = score_settled(directory, judge, answered_only=not all_asked)
    tally = Tally("scores", total)
    with tallied(progress, tally):
        _score(directory, scorers, tally, answered_only=not all_asked)
    is_whole = all_asked and not any(found.pending_by_judge.values())
    finish(directory, "complete" if is_whole else "incomplete")


def _score(directory: RunDirectory, scorers: dict[str, list[PassScorer]], tally: Tally, *, answered_only: bool) -> None:
    """Append the scores that need no model and are not on file yet. answered_only: of what has an answer."""
    held = index_scores(directory.scores)
    with RecordWriter(directory.scores) as writer:
        for answer in iter_answers(directory):
            tally.done += 1
            if answered_only and is_system_failure(answer.response):
                continue
            for scorer in scorers[answer.task]:
                about = score_key_digest(answer.response.key, scorer.name, scorer.digest, (answer.response.digest,))
                if about not in held:
                    writer.append(score_one(scorer, answer.sample, answer.response))
