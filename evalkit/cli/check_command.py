"""`evalkit check`: check content without asking any model."""

from typing import Annotated

import typer

from evalkit.cli.options import DataFolders, folders
from evalkit.cli.say import say
from evalkit.core.gate import Exit
from evalkit.runner.check import Checked, check_all, check_path

app = typer.Typer(add_completion=False)


@app.command()
def check(
    path: Annotated[
        str | None, typer.Argument(help="A suite, judge, report or candidate; everything by default.")
    ] = None,
    data: DataFolders = None,
) -> None:
    """Check suites, judges, reports and candidates without asking any model."""
    found = check_path(path, folders(data)) if path else check_all(folders(data))
    for one in found:
        say(_line(one))
    wrong, skipped = sum(bool(one.error) for one in found), sum(bool(one.skipped) for one in found)
    say(f"{len(found) - wrong - skipped} checked, {wrong} wrong, {skipped} skipped")
    raise typer.Exit(Exit.INPUT if wrong else Exit.PASSED)


def _line(one: Checked) -> str:
    if one.error:
        return f"wrong    {one.error}"
    if one.skipped:
        return f"skipped  {one.file}: {one.skipped}"
    return f"ok       {one.file}: {one.summary}"
