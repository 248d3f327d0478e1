"""What `compare` and `release` print at the end, and the exit code they leave with."""

import typer

from evalkit.comparison.verdict import status_line
from evalkit.core.errors import EvalkitError
from evalkit.core.gate import Exit
from evalkit.report.console import summary_lines
from evalkit.runner.compare import Compared


def tell(compared: Compared) -> None:
    """Print the verdict, where the report lies, and the status line; leave with the exit code."""
    comparison = compared.comparison
    print("\n".join(summary_lines(comparison)))
    print(f"\nreport: {compared.folder / 'report.html'}")
    if comparison.verdict == "inconclusive" and comparison.exit_code == Exit.PASSED:
        print(
            "warning: inconclusive; the exit code is 0 because no safety gate is open (--inconclusive fail makes it 3)"
        )
    print(status_line(comparison.verdict, comparison.exit_code, comparison.decisions))
    raise typer.Exit(comparison.exit_code)


def tell_invalid(error: EvalkitError) -> None:
    """The status line of a comparison that could not be made; the error itself is printed by the boundary."""
    if error.exit_code in (Exit.INVALID, Exit.NO_BASELINE):
        print(status_line("invalid", error.exit_code, ()))
