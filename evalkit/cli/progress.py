"""Show how far a pass is: bars on a terminal, else one plain line every 30 seconds."""

import sys
import threading
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from evalkit.cli.say import say
from evalkit.report.text import visible

PLAIN_LINE_EVERY_S = 30.0


class TerminalProgress:
    """A bar per pass with rate, failures and time left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars: Progress | None = None
        self._task = TaskID(0)
        self._failed = self._tokens = 0

    def begin(self, name: str, total: int, done: int = 0) -> None:
        """A pass begins."""
        self._failed = self._tokens = 0
        self._bars = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._bars.start()
        self._task = self._bars.add_task(name, total=total, completed=done, more="")

    def advance(self, failed: bool = False, output_tokens: int | None = None) -> None:
        """One more is done."""
        self._failed += failed
        self._tokens += output_tokens or 0
        if self._bars is not None:
            parts = [f"{self._failed} failed"] * bool(self._failed) + [f"{self._tokens:,} tokens"] * bool(self._tokens)
            self._bars.update(self._task, advance=1, more=", ".join(parts))

    def end(self) -> None:
        """The pass is over."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def say(self, message: str) -> None:
        """A line above the bars."""
        self._console.print(visible(message), markup=False, highlight=False)


class PlainProgress:
    """Lines for a log: at the end of each pass, and every 30 seconds of a long one, also while nothing ends."""

    def __init__(self, stream: TextIO | None = None, every_s: float = PLAIN_LINE_EVERY_S):
        self._stream = stream or sys.stderr
        self._every_s = every_s
        self._name = ""
        self._total = self._done = self._failed = self._tokens = self._before = 0
        self._began_s = 0.0
        self._over = threading.Event()

    def begin(self, name: str, total: int, done: int = 0) -> None:
        """A pass begins; a thread tells every 30 seconds how far it is."""
        self._name, self._total, self._done, self._before = name, total, done, done
        self._failed = self._tokens = 0
        self._began_s = time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._tell_now_and_then, args=(self._over,), daemon=True).start()

    def advance(self, failed: bool = False, output_tokens: int | None = None) -> None:
        """One more is done."""
        self._done += 1
        self._failed += failed
        self._tokens += output_tokens or 0

    def end(self) -> None:
        """The pass is over."""
        self._over.set()
        self._line()

    def say(self, message: str) -> None:
        """A line of its own."""
        say(f"evalkit: {message}", self._stream)

    def _tell_now_and_then(self, over: threading.Event) -> None:
        while not over.wait(self._every_s):
            self._line()

    def _line(self) -> None:
        spent_s = time.monotonic() - self._began_s
        rate = (self._done - self._before) / spent_s if spent_s > 0 else 0.0
        left = f", {(self._total - self._done) / rate:.0f} s left" if rate > 0 and self._done < self._total else ""
        before = f" ({self._before} from before)" if self._before else ""
        tokens = f", {self._tokens:,} output tokens" if self._tokens else ""
        self.say(f"{self._name}: {self._done}/{self._total}{before}, {self._failed} failed{tokens}, {rate:.1f}/s{left}")


def console_progress() -> TerminalProgress | PlainProgress:
    """What fits where stderr goes."""
    return TerminalProgress() if sys.stderr.isatty() else PlainProgress()
