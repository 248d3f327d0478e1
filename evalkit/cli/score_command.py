"""`evalkit score`: score a run's answers again by its suite as it is now."""

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.cache_options import CacheFolder, NoCache, chosen_cache
from evalkit.cli.options import DataFolders, Judges, Runs, bound_judges, folders
from evalkit.cli.progress import console_progress
from evalkit.cli.tables import print_summary
from evalkit.content.suites import load_suite
from evalkit.runner.finished import check_whole
from evalkit.runner.opened import open_run
from evalkit.runner.run import RunSettings, score_run

app = typer.Typer(add_completion=False)


@app.command()
def score(
    run: Annotated[str, typer.Argument(help="Run directory, or its id in the runs folder.")],
    suite: Annotated[str | None, typer.Option("--suite", help="Suite to score by; the run's own by default.")] = None,
    judge: Judges = None,
    data: DataFolders = None,
    runs: Runs = Path("runs"),
    cache: CacheFolder = None,
    no_cache: NoCache = False,
) -> None:
    """Score a run's answers again, without asking the candidate."""
    directory = open_run(run, runs)
    loaded = load_suite(suite or directory.manifest.suite.name, folders(data))
    settings = RunSettings(judges=bound_judges(judge), data_folders=folders(data), cache=chosen_cache(cache, no_cache))
    scored = score_run(directory, loaded, settings, console_progress())
    print_summary(scored)
    check_whole(scored.manifest)
