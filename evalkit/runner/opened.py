"""Open a run by its path, or by its id in the runs folder."""

from pathlib import Path

from evalkit.core.errors import InputError, nearest_name
from evalkit.store.rundir import RunDirectory, list_runs


def open_run(name_or_path: str, runs: Path) -> RunDirectory:
    """The run directory. Raises InputError with the nearest run's id when there is none."""
    for path in (Path(name_or_path), runs / name_or_path):
        if path.is_dir():
            return RunDirectory.open(path)
    near = nearest_name(name_or_path, [run.path.name for run in list_runs(runs)])
    guess = f' Did you mean "{near}"?' if near else ""
    raise InputError(f'there is no run "{name_or_path}", here or in {runs}.{guess} `evalkit list runs` shows all.')
