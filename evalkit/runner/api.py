"""The Python API: the same steps as the commands, as functions. `import evalkit` hands these names on.

    suite = evalkit.load_suite("quickstart")
    before = evalkit.run(suite, "replay:answers.jsonl#v1")
    after = evalkit.run(suite, "replay:answers.jsonl#v2")
    print(evalkit.compare(before, after).sentence)

Everything is synchronous. What a user can mend is raised as `evalkit.core.errors.EvalkitError`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evalkit.calibration.spec import CalibrationSpec
from evalkit.content.candidates import load_candidate
from evalkit.content.suites import LoadedSuite
from evalkit.content.suites import load_suite as _load_suite
from evalkit.core.candidate import Candidate
from evalkit.core.card import JudgeCard
from evalkit.core.comparison import Comparison
from evalkit.core.errors import InputError
from evalkit.runner.calibrate import CalibrateOptions
from evalkit.runner.calibrate import calibrate as _calibrate
from evalkit.runner.compare import CompareOptions, compare_directories
from evalkit.runner.meter import Limits
from evalkit.runner.opened import open_run
from evalkit.runner.plan import Filter
from evalkit.runner.run import RunSettings, run_suite
from evalkit.runner.shard import read_shard
from evalkit.store.rundir import RunDirectory

Paths = Sequence[str | Path]


def load_suite(name_or_path: str | Path, *, data: Paths = ()) -> LoadedSuite:
    """A suite by name or path; `data`: folders in which its data is looked for beside its own.

    >>> load_suite("quickstart").suite.name
    'quickstart'
    """
    return _load_suite(name_or_path, _paths(data))


def load_run(path: str | Path) -> RunDirectory:
    """A run directory that is there: `.manifest` says what it was.

    >>> load_run("no/such/run")
    Traceback (most recent call last):
    evalkit.core.errors.InputError: there is no run "no/such/run", here or in runs. `evalkit list runs` shows all.
    """
    return open_run(str(path), Path("runs"))


def run(
    suite: str | Path | LoadedSuite,
    candidate: str | Path | Candidate,
    *,
    judges: Mapping[str, str] | None = None,
    data: Paths = (),
    runs: str | Path = "runs",
    limit: int | None = None,
    languages: Sequence[str] = (),
    tasks: Sequence[str] = (),
    tags: Sequence[str] = (),
    shard: str | None = None,
    run_id: str | None = None,
    limits: Limits | None = None,
    resume: bool = False,
    cache: str | Path | None = None,
) -> RunDirectory:
    """Ask a candidate every sample of a suite, judge and score the answers.

    candidate: as on the command line (YAML file, `openai:MODEL@URL`, `replay:FILE#SYSTEM`, `echo`), or a Candidate.
    judges: judge name -> the candidate that answers for it. shard: "3/8", the third of eight disjoint parts.
    cache: a folder of answers that other runs got and may get (`evalkit cache`); None = each is asked for anew.
    Raises InputError before anything is asked when something named does not exist.

    >>> import tempfile
    >>> directory = run("quickstart", "replay:answers.jsonl#v1", runs=tempfile.mkdtemp(), limit=3)
    >>> directory.manifest.status, directory.manifest.counts["samples"]
    ('complete', 6)
    """
    loaded = suite if isinstance(suite, LoadedSuite) else load_suite(suite, data=data)
    asked = candidate if isinstance(candidate, Candidate) else load_candidate(candidate)
    settings = RunSettings(
        runs=Path(runs),
        judges=judges or {},
        data_folders=_paths(data),
        run_id=run_id,
        filter=Filter(limit, tuple(languages), tuple(tasks), tuple(tags), None if shard is None else read_shard(shard)),
        limits=limits or Limits(),
        resume=resume,
        cache=None if cache is None else Path(cache),
    )
    return run_suite(loaded, asked, settings)


def compare(
    baseline: str | Path | RunDirectory,
    candidate: str | Path | RunDirectory,
    *,
    report: str | None = None,
    cards: Paths = (),
    out: str | Path | None = None,
    numbers_only: bool = False,
) -> Comparison:
    """Compare two whole runs, decide the gates, and write result.json and the report.

    Raises NoBaseline when the runs are not comparable, RunInvalid when one is not finished.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> same = run("quickstart", "replay:answers.jsonl#v1", runs=folder)
    >>> compare(same, same, out=f"{folder}/comparison").verdict
    'pass'
    """
    arms = [arm if isinstance(arm, RunDirectory) else load_run(arm) for arm in (baseline, candidate)]
    options = CompareOptions(
        report=report, cards=_paths(cards), out=None if out is None else Path(out), numbers_only=numbers_only
    )
    return compare_directories(arms[0], arms[1], options).comparison


def calibrate(spec: CalibrationSpec | None = None, *, data: str | Path | None = None, out: str | Path) -> JudgeCard:
    """Measure recorded verdicts (or people among themselves) against labels, and write card.json and card.html.

    spec: which rows are compared; None = all that `data` holds. data: a folder with human, judge and items .jsonl.

    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = [{"item_id": f"q{n}", "annotator": who, "criterion": "ok", "value": "yes" if n % 3 else "no"}
    ...         for n in range(60) for who in ("ann", "ben")]
    >>> _ = (folder / "human.jsonl").write_text("".join(json.dumps(row) + chr(10) for row in rows))
    >>> card = calibrate(data=folder, out=folder / "card")
    >>> [line.value for line in card.estimates if line.statistic == "cohen_kappa"][0]
    1.0
    """
    if spec is None and data is None:
        raise InputError("name what to calibrate: a spec, or a folder that holds labels")
    options = CalibrateOptions(folder=None if data is None else Path(data), out=Path(out))
    return _calibrate(spec or CalibrationSpec(), options)


def _paths(given: Paths) -> tuple[Path, ...]:
    return tuple(Path(path) for path in given)
