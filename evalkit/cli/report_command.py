"""`evalkit report`: write the report of a comparison, or the summary of a run, again."""

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.options import NumbersOnly, Runs
from evalkit.cli.say import say
from evalkit.cli.tables import print_summary
from evalkit.runner.compare import RESULT
from evalkit.runner.finished import check_whole
from evalkit.runner.opened import open_run
from evalkit.runner.report import rewrite_comparison, rewrite_run

app = typer.Typer(add_completion=False)


@app.command()
def report(
    path: Annotated[str, typer.Argument(help="Comparison folder (holds result.json), or a run.")],
    numbers_only: NumbersOnly = False,
    runs: Runs = Path("runs"),
) -> None:
    """Write the report of a comparison, or the summary of a run, again."""
    if (Path(path) / RESULT).is_file():
        page, why = rewrite_comparison(Path(path), runs, numbers_only)
        say(f"report: {page}" + (f" (numbers only: {why})" if why else ""))
        return
    directory = open_run(path, runs)
    table = rewrite_run(directory)
    print_summary(directory)
    say(f"scores: {table}")
    check_whole(directory.manifest)
