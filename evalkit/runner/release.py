"""A release in one go: run the baseline and the candidate, compare, report."""

from dataclasses import dataclass
from pathlib import Path

from evalkit.content.candidates import load_candidate
from evalkit.content.suites import LoadedSuite
from evalkit.runner.compare import Compared, CompareOptions, compare_directories
from evalkit.runner.progress import Progress
from evalkit.runner.run import PreparedRun, RunSettings, carry_out, prepare_run
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
    sides = [_side(loaded, text, settings, progress) for text in (arms.baseline, arms.candidate)]
    made = iter(carry_out([side for side in sides if isinstance(side, PreparedRun)], progress))
    baseline, candidate = (next(made) if isinstance(side, PreparedRun) else side for side in sides)
    return compare_directories(baseline, candidate, options)


def is_run(text: str) -> bool:
    """Whether an arm is the directory of a run that is there already."""
    return (Path(text) / "manifest.json").is_file()


def _side(
    loaded: LoadedSuite, text: str, settings: RunSettings, progress: Progress | None
) -> RunDirectory | PreparedRun:
    """Read both arms before anything is asked, so that a wrong name costs nothing."""
    if is_run(text):
        return RunDirectory.open(Path(text))
    return prepare_run(loaded, load_candidate(text), settings, progress)
