"""`evalkit compare`: hold two runs against each other and decide the gates."""

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.decided import clear_result, tell, tell_invalid
from evalkit.cli.inconclusive import Inconclusive, on_inconclusive
from evalkit.cli.options import Cards, NumbersOnly, Out, Report, Runs, command_line
from evalkit.core.errors import EvalkitError
from evalkit.runner.compare import CompareOptions, compare_directories
from evalkit.runner.opened import open_run

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    baseline: Annotated[str, typer.Argument(help="Run directory, or its id in the runs folder.")],
    candidate: Annotated[str, typer.Argument(help="Run directory, or its id in the runs folder.")],
    report: Report = None,
    cards: Cards = None,
    out: Out = None,
    inconclusive: Inconclusive = "default",
    numbers_only: NumbersOnly = False,
    runs: Runs = Path("runs"),
) -> None:
    """Compare two runs and decide the gates."""
    clear_result(out)
    options = CompareOptions(
        report=report,
        cards=tuple(cards or ()),
        out=out,
        on_inconclusive=on_inconclusive(inconclusive),
        numbers_only=numbers_only,
        command=command_line(),
    )
    try:
        compared = compare_directories(open_run(baseline, runs), open_run(candidate, runs), options)
    except EvalkitError as error:
        tell_invalid(error)
        raise
    tell(compared)
