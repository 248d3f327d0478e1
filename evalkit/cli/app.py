"""The `evalkit` command: a table of commands, each imported only when it is called, and the one boundary for errors."""

import atexit
import os
import signal
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

import typer

from evalkit import __version__
from evalkit.cli.say import say
from evalkit.core.errors import EvalkitError
from evalkit.core.gate import Exit
from evalkit.store.disk import disk_error

COMMANDS = {
    "demo": "See it all on this machine: two small models, a judge, and a comparison that finds what was planted.",
    "release": "Run, judge and compare a baseline and a candidate, and report: all of it in one go.",
    "run": "Ask a candidate every sample of a suite, judge and score the answers.",
    "merge": "Put the runs of all shards together into one whole run.",
    "requests": "Write a run's requests as batch files, and take their results back.",
    "score": "Score a run's answers again, without asking the candidate.",
    "calibrate": "Measure a judge (or people among themselves) against human labels; makes its card.",
    "compare": "Compare two runs and decide the gates.",
    "report": "Write the report of a comparison, or the summary of a run, again.",
    "check": "Check suites, judges, reports and candidates without asking any model.",
    "cache": "Say what answers are kept for later runs, or remove some of them (stats, prune).",
    "list": "List what there is: suites, judges, cards, candidates, runs, engines, scorers, reports.",
}

app = typer.Typer(
    name="evalkit",
    help="Say whether a new model is worse anywhere that matters, by how much, and whether the judge may be believed.",
    epilog="Exit codes: 0 passed, 1 regressed, 2 wrong input, 3 inconclusive, 4 invalid or incomplete run, "
    "5 no comparable baseline, 70 evalkit's own error, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def top(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    """Options before any command."""
    if version:
        typer.echo(f"evalkit {__version__}")
        raise typer.Exit


def _add_command(name: str, help_text: str) -> None:
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}

    @app.command(name, help=help_text, add_help_option=False, context_settings=settings)
    def forward(context: typer.Context) -> None:
        raise typer.Exit(run_command(name, context.args))


for _name, _help in COMMANDS.items():
    _add_command(_name, _help)


def run_command(name: str, arguments: list[str]) -> int:
    """Run one command and give its exit code. Everything that can go wrong passes through here, once."""
    try:
        module = import_module(f"evalkit.cli.{name}_command")
        command = typer.main.get_command(module.app)
        return int(command(args=arguments, prog_name=f"evalkit {name}", standalone_mode=False) or 0)
    except EvalkitError as error:
        say(f"evalkit: error: {error}", sys.stderr)
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        say("evalkit: interrupted; everything finished is kept.", sys.stderr)
        return int(Exit.INTERRUPTED)
    except RecursionError:
        say("evalkit: error: something in the input is nested too deeply to be read", sys.stderr)
        return int(Exit.INPUT)
    except OSError as error:
        # The machine refused: a name too long, a folder without rights. Nothing that a traceback would help with.
        say(f"evalkit: error: {disk_error(error, Path(error.filename or 'a file'), 'used')}", sys.stderr)
        return int(Exit.INPUT)
    except Exception as error:
        if hasattr(error, "show"):  # a usage error: the outer app shows it and exits with 2
            raise
        return _our_bug(error)


def _our_bug(error: Exception) -> int:
    handle, path = tempfile.mkstemp(prefix="evalkit-error-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write("".join(traceback.format_exception(error)))
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(where.filename).name}:{where.lineno}"
    say(
        f"evalkit: this is evalkit's own error, not yours: {type(error).__name__} at {place}. "
        f"The traceback is in {path}; please report it. Nothing finished is lost.",
        sys.stderr,
    )
    return int(Exit.OUR_BUG)


def interrupt(signum: int, frame: FrameType | None) -> None:
    """SIGTERM, as CI sends when it cancels a job, ends a run as Ctrl-C does.

    By the same handler: within an event loop that one cancels the tasks in order, where an exception raised wherever
    the loop happens to be can leave it waiting for ever.
    """
    on_ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(on_ctrl_c):  # a job started in the background may have been told to ignore Ctrl-C
        raise KeyboardInterrupt
    on_ctrl_c(signum, frame)


def console() -> NoReturn:
    """The console script: `main`, and then the end of the process.

    The interpreter is not taken apart: that takes as long as asking once, and a model that is still being loaded on a
    thread of its own does not live through it. What is registered to be done at the end is done.
    """
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    if all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    raise SystemExit(code)


def main() -> None:
    """All of the command; ends in SystemExit."""
    signal.signal(signal.SIGTERM, interrupt)
    # A stream that was closed before we began (`2>&-`) is None in Python: what is said there goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        app()
    except SystemExit as stop:
        # A reader that leaves while help is printed ends in 1, which here means regressed.
        if {"--help", "--version"} & set(sys.argv[1:]) and stop.code == 1:
            raise SystemExit(0) from None
        raise


if __name__ == "__main__":
    console()
