"""`evalkit run`: ask a candidate every sample of a suite, judge and score the answers."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.cache_options import CacheFolder, NoCache, chosen_cache
from evalkit.cli.options import (
    Cards,
    DataFolders,
    Judges,
    MaxCost,
    MaxFailures,
    MaxTime,
    Runs,
    ShardOption,
    bound_judges,
    chosen_shard,
    command_line,
    folders,
    limits,
)
from evalkit.cli.progress import console_progress
from evalkit.cli.tables import print_summary
from evalkit.content.candidates import load_candidate
from evalkit.content.suites import load_suite
from evalkit.runner.plan import Filter
from evalkit.runner.run import RunSettings, run_suite

app = typer.Typer(add_completion=False)


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="Name or path of a suite.")],
    candidate: Annotated[
        str, typer.Option("--candidate", help="YAML file, openai:MODEL@URL, replay:FILE#SYSTEM or echo.")
    ],
    judge: Judges = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="At most N samples of each task; the run is then partial.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="Only these languages.")] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Only these tasks.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only samples with this tag (NAME or NAME=VALUE).")
    ] = None,
    shard: ShardOption = None,
    data: DataFolders = None,
    cards: Cards = None,
    runs: Runs = Path("runs"),
    run_id: Annotated[str | None, typer.Option("--run-id", help="Name of the run directory.")] = None,
    max_cost_usd: MaxCost = None,
    max_time: MaxTime = None,
    max_failures: MaxFailures = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the last run of this suite and candidate; of a whole one nothing is asked."
        ),
    ] = False,
    cache: CacheFolder = None,
    no_cache: NoCache = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")] = False,
) -> None:
    """Ask a candidate every sample of a suite, judge and score the answers."""
    loaded, asked = load_suite(suite, folders(data)), load_candidate(candidate)
    chosen = Filter(limit, tuple(language or ()), tuple(task or ()), tuple(tag or ()), chosen_shard(shard))
    settings = RunSettings(
        runs=runs,
        run_id=run_id,
        judges=bound_judges(judge),
        data_folders=folders(data),
        filter=chosen,
        limits=limits(max_cost_usd, max_time, max_failures),
        cache=chosen_cache(cache, no_cache),
        resume=resume,
        command=command_line(),
    )
    if dry_run:
        # What it reads of judges' cards costs more to load than a small run takes.
        import_module("evalkit.cli.dry_run").print_dry_run(loaded, asked, settings, tuple(cards or ()))
        return
    directory = run_suite(loaded, asked, settings, console_progress())
    print_summary(directory)
