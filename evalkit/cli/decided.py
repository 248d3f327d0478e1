"""What `compare` and `release` print at the end, and the exit code they leave with."""

from pathlib import Path

import typer

from evalkit.cli.say import say
from evalkit.comparison.verdict import status_line
from evalkit.core.errors import EvalkitError
from evalkit.core.gate import Exit
from evalkit.report.console import summary_lines
from evalkit.runner.compare import RESULT, Compared


def tell(compared: Compared) -> None:
    """Print the verdict, where the report lies, and the status line; leave with the exit code."""
    comparison = compared.comparison
    say("\n".join(summary_lines(comparison)))
    say(f"\nreport: {compared.folder / 'report.html'}")
    if comparison.verdict == "inconclusive" and comparison.exit_code == Exit.PASSED:
        say("warning: inconclusive; the exit code is 0 because no safety gate is open (--inconclusive fail makes it 3)")
    say(status_line(comparison.verdict, comparison.exit_code, comparison.decisions))
    raise typer.Exit(comparison.exit_code)


def tell_invalid(error: EvalkitError) -> None:
    """The status line of a comparison that could not be made; the error itself is printed by the boundary."""
    if error.exit_code in (Exit.INVALID, Exit.NO_BASELINE):
        say(status_line("invalid", error.exit_code, ()))


def clear_result(out: Path | None) -> None:
    """Remove an older result first: whatever stops this command, a script must not read the last one's verdict."""
    if out is not None:
        (out / RESULT).unlink(missing_ok=True)
