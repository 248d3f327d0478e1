"""`evalkit release`: run, judge, compare and report in one go."""

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.cache_options import CacheFolder, NoCache, chosen_cache
from evalkit.cli.decided import clear_result, tell, tell_invalid
from evalkit.cli.dry_run import print_dry_run
from evalkit.cli.inconclusive import Inconclusive, on_inconclusive
from evalkit.cli.options import (
    Cards,
    DataFolders,
    Judges,
    MaxCost,
    MaxFailures,
    MaxTime,
    NumbersOnly,
    Out,
    Report,
    Runs,
    bound_judges,
    command_line,
    folders,
    limits,
)
from evalkit.cli.progress import console_progress
from evalkit.content.candidates import load_candidate
from evalkit.content.suites import load_suite
from evalkit.core.errors import EvalkitError
from evalkit.runner.compare import CompareOptions
from evalkit.runner.release import ReleaseArms, is_run
from evalkit.runner.release import release as run_release
from evalkit.runner.run import RunSettings

app = typer.Typer(add_completion=False)


@app.command()
def release(
    suite: Annotated[str, typer.Argument(help="Name or path of a suite.")],
    baseline: Annotated[
        str, typer.Option("--baseline", help="Candidate (file or short form), or a run directory that is there.")
    ],
    candidate: Annotated[str, typer.Option("--candidate", help="Candidate (file or short form), or a run directory.")],
    judge: Judges = None,
    data: DataFolders = None,
    cards: Cards = None,
    report: Report = None,
    out: Out = None,
    runs: Runs = Path("runs"),
    inconclusive: Inconclusive = "default",
    numbers_only: NumbersOnly = False,
    max_cost_usd: MaxCost = None,
    max_time: MaxTime = None,
    max_failures: MaxFailures = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last runs of the same two candidates.")
    ] = False,
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")] = False,
) -> None:
    """Run, judge and compare a baseline and a candidate, and report."""
    if not dry_run:
        clear_result(out)
    loaded = load_suite(suite, folders(data))
    settings = RunSettings(
        runs=runs,
        judges=bound_judges(judge),
        data_folders=folders(data),
        limits=limits(max_cost_usd, max_time, max_failures),
        cache=chosen_cache(cache, no_cache),
        resume=resume,
        command=command_line(),
    )
    if dry_run:
        for arm in (baseline, candidate):
            if not is_run(arm):
                print_dry_run(loaded, load_candidate(arm), settings, tuple(cards or ()))
        return
    options = CompareOptions(
        report=report,
        cards=tuple(cards or ()),
        out=out,
        on_inconclusive=on_inconclusive(inconclusive),
        numbers_only=numbers_only,
        command=command_line(),
    )
    try:
        compared = run_release(loaded, ReleaseArms(baseline, candidate), settings, options, console_progress())
    except EvalkitError as error:
        tell_invalid(error)
        raise
    tell(compared)
