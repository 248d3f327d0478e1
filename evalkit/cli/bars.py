"""A bar for each pass on a terminal. The bars read the tallies a few times a second; passes know nothing of them."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from evalkit.cli.progress import spent
from evalkit.report.text import visible
from evalkit.runner.progress import Tally

LOOKS_PER_S = 4


class _Reading(Progress):
    """Bars that look at their tallies each time they are drawn."""

    def __init__(self, console: Console):
        super().__init__(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Words(),
            console=console,
            refresh_per_second=LOOKS_PER_S,
        )
        self.shown: dict[TaskID, Tally] = {}

    def get_renderables(self):  # type: ignore[no-untyped-def]  # rich's type is not exported
        """The bars, brought up to date."""
        for task, tally in list(self.shown.items()):
            self._tasks[task].completed = tally.done
        return super().get_renderables()


class _Words(ProgressColumn):
    """Failures, tokens, cost, rate and time left."""

    def render(self, task: Task) -> Text:
        """In words, after the bar."""
        tally: Tally = task.fields["tally"]
        failed = [f"{tally.failed} failed"] if tally.failed else []
        left = [] if tally.left_s is None else [f"{_clock(tally.left_s)} left"]
        return Text(", ".join([*failed, *spent(tally), f"{tally.rate_per_s:.1f}/s", *left]))


class TerminalProgress:
    """A bar per pass."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars: _Reading | None = None
        self._under_way: dict[int, TaskID] = {}

    def begin(self, tally: Tally) -> None:
        """A pass begins."""
        if self._bars is None:
            self._bars = _Reading(self._console)
            self._bars.start()
        task = self._bars.add_task(visible(tally.name), total=tally.total, completed=tally.done, tally=tally)
        self._bars.shown[task] = tally
        self._under_way[id(tally)] = task

    def end(self, tally: Tally) -> None:
        """The pass is over; its bar stays as it was last."""
        self._under_way.pop(id(tally))
        if self._bars is not None and not self._under_way:
            self._bars.stop()
            self._bars = None

    def say(self, message: str) -> None:
        """A line above the bars."""
        self._console.print(visible(message), markup=False, highlight=False)


def _clock(seconds: float) -> str:
    """
    >>> _clock(61), _clock(7325)
    ('1:01', '2:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
