"""A release in one go: run the baseline, run the candidate, compare, report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evalkit.content.candidates import load_candidate
from evalkit.content.suites import LoadedSuite
from evalkit.runner.compare import Compared, CompareOptions, compare_directories
from evalkit.runner.progress import Progress, Silent
from evalkit.runner.run import RunSettings, run_suite
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class ReleaseArms:
    """The two sides of a release: a candidate (path or short form), or the directory of a run that is there already."""

    baseline: str
    candidate: str


def release(
    loaded: LoadedSuite,
    arms: ReleaseArms,
    settings: RunSettings,
    options: CompareOptions,
    progress: Progress | None = None,
) -> Compared:
    """Run what has not been run, then compare. Raises what `run_suite` and `compare_directories` raise."""
    progress = progress or Silent()
    runs: list[Callable[[], RunDirectory]] = [
        _arm(loaded, text, settings, progress) for text in (arms.baseline, arms.candidate)
    ]
    baseline, candidate = (run() for run in runs)
    return compare_directories(baseline, candidate, options)


def is_run(text: str) -> bool:
    """Whether an arm is the directory of a run that is there already."""
    return (Path(text) / "manifest.json").is_file()


def _arm(loaded: LoadedSuite, text: str, settings: RunSettings, progress: Progress) -> Callable[[], RunDirectory]:
    """Read now what the arm names, so that a wrong name costs nothing; run it when called."""
    if is_run(text):
        directory = RunDirectory.open(Path(text))
        return lambda: directory
    candidate = load_candidate(text)

    def run() -> RunDirectory:
        progress.say(f"asking {candidate.name}")
        return run_suite(loaded, candidate, settings, progress)

    return run
