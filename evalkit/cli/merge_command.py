"""`evalkit merge`: put the runs of all shards together into one whole run."""

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.options import Runs, command_line
from evalkit.cli.progress import console_progress
from evalkit.cli.say import say
from evalkit.cli.tables import print_summary
from evalkit.runner.merge import merge_runs
from evalkit.runner.shard_runs import find_shards
from evalkit.store.rundir import RunDirectory

app = typer.Typer(add_completion=False)


@app.command()
def merge(
    shards: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="The runs of all shards: directories, ids, or folders that hold them."),
    ],
    runs: Runs = Path("runs"),
    run_id: Annotated[str | None, typer.Option("--run-id", help="Name of the merged run's directory.")] = None,
) -> None:
    """Put the runs of all shards together into one whole run."""
    found = find_shards(shards, runs)
    merged = merge_runs(found, runs, run_id, command_line(), console_progress())
    print_summary(merged)
    say(f"merged from {len(found)} shards{_times(found)}")


def _times(shards: list[RunDirectory]) -> str:
    """How long they took."""
    walls_s = [shard.manifest.wall_s for shard in shards if shard.manifest.wall_s is not None]
    return f": the longest took {max(walls_s):.1f} s, all together {sum(walls_s):.1f} s" if walls_s else ""
