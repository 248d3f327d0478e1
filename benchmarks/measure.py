"""Run a command to its end and say what it took: wall, processor time and peak memory of that process alone."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.asked import JUDGE

ROOT = Path(__file__).parents[1]
EVALKIT = (sys.executable, "-m", "evalkit.cli.app")
FLOOR = (sys.executable, "-m", "benchmarks.floor")

BYTECODE = Path(tempfile.gettempdir()) / f"evalkit-bytecode-{os.getuid()}"
"""Where modules are kept compiled: a clone, or what is installed, may be another user's."""

TIMEOUT_S = 3600.0
"""A command that takes longer is killed, and what it was to measure with it."""


class CommandFailed(Exception):
    """A command that ended with another code than 0; `str` says which, and what it wrote to stderr."""


@dataclass(frozen=True)
class Measured:
    """What a process took, the processes that it waited for included."""

    wall_s: float
    cpu_s: float
    """User and system."""
    peak_mb: float
    """Most resident memory, in units of 1,000,000 bytes."""
    stdout: str


def measure(command: Sequence[str | Path], folder: Path) -> Measured:
    """Run a command in a folder. Raises CommandFailed when it does not end with 0.

    Whoever measures stays small: Linux counts a starting process's peak from the one that started it.
    """
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=stdout, stderr=stderr)
        timer = threading.Timer(TIMEOUT_S, process.kill)
        timer.start()
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode != 0:
            words = " ".join(map(str, command[1:6]))
            raise CommandFailed(f"{words} ... ended with {process.returncode}: {stderr.read()[-2000:]}")
        peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Measured(wall_s, used.ru_utime + used.ru_stime, peak_bytes / 1e6, stdout.read())


def environment() -> dict[str, str]:
    """This clone's modules, wherever a command is run, and no answers that other runs left on this machine."""
    known = os.environ.get("PYTHONPATH")
    path = f"{ROOT}{os.pathsep}{known}" if known else str(ROOT)
    # With its bytecode kept, as where it is used; whoever measures runs everything once before.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": path, "EVALKIT_CACHE": "off", "PYTHONPYCACHEPREFIX": str(BYTECODE)}


@dataclass(frozen=True)
class Bench:
    """Where and how often to measure."""

    folder: Path
    """An empty one, for each row its own."""
    rounds: int
    full: bool
    """Whether rows of 1,000,000 samples are measured too."""


def measure_run(folder: Path, run_id: str, candidate: Path | str, *more: str, judged: bool = False) -> Measured:
    """A run of the suite in a folder, measured. judged: the candidate answers for the judge as well."""
    judge = ["--judge", f"{JUDGE}={candidate}"] if judged else []
    options = ["--candidate", str(candidate), *judge, "--runs", "runs", "--run-id", run_id]
    return measure([*EVALKIT, "run", "suite", *options, *more], folder)
