"""Show how far a pass is: bars on a terminal, else one plain line every 30 seconds."""

import sys
import threading
from importlib import import_module
from typing import TextIO, cast

from evalkit.cli.say import say
from evalkit.runner.progress import Progress, Tally

PLAIN_LINE_EVERY_S = 30.0


class PlainProgress:
    """Lines for a log: at the end of each pass, and every 30 seconds of a long one, also while nothing ends."""

    def __init__(self, stream: TextIO | None = None, every_s: float = PLAIN_LINE_EVERY_S):
        self._stream = stream or sys.stderr
        self._every_s = every_s
        self._over: dict[int, threading.Event] = {}

    def begin(self, tally: Tally) -> None:
        """A pass begins; a thread tells every 30 seconds how far it is."""
        over = self._over[id(tally)] = threading.Event()
        threading.Thread(target=self._tell_now_and_then, args=(tally, over), daemon=True).start()

    def end(self, tally: Tally) -> None:
        """The pass is over."""
        self._over.pop(id(tally)).set()
        self._line(tally)

    def say(self, message: str) -> None:
        """A line of its own."""
        say(f"evalkit: {message}", self._stream)

    def _tell_now_and_then(self, tally: Tally, over: threading.Event) -> None:
        while not over.wait(self._every_s):
            self._line(tally)

    def _line(self, tally: Tally) -> None:
        before = f" ({tally.before} from before)" if tally.before else ""
        parts = [f"{tally.name}: {tally.done}/{tally.total}{before}", f"{tally.failed} failed", *spent(tally)]
        left = [] if tally.left_s is None else [f"{tally.left_s:.0f} s left"]
        self.say(", ".join([*parts, f"{tally.rate_per_s:.1f}/s", *left]))


def spent(tally: Tally) -> list[str]:
    """What a pass has used so far, in words: only what is known, and not nothing."""
    tokens = [f"{tally.output_tokens:,} output tokens"] if tally.output_tokens else []
    cost = [f"${tally.cost_usd:,.4f}"] if tally.cost_usd is not None else []
    cached = [f"{tally.from_cache:,} from the cache"] if tally.from_cache else []
    return [*tokens, *cost, *cached]


def console_progress() -> Progress:
    """What fits where stderr goes. The bars' library is loaded for a terminal alone."""
    if sys.stderr.isatty():
        return cast(Progress, import_module("evalkit.cli.bars").TerminalProgress())
    return PlainProgress()
