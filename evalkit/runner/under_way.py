"""A run that is under way, and what is held for the length of a pass: an engine that is up, a tally that is shown."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate
from evalkit.engines.base import Engine
from evalkit.runner.bind import Binding
from evalkit.runner.meter import Meter, MeteredEngine
from evalkit.runner.progress import Progress, Silent, Tally
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class Run:
    """A run directory under its lock, with everything that acts on it."""

    directory: RunDirectory
    loaded: LoadedSuite
    binding: Binding
    engine: Engine | None
    """The candidate's; None where nothing is asked of it."""
    data_folders: tuple[Path, ...]

    def tasks_of(self, judge: str) -> frozenset[str]:
        """The tasks that a judge scores."""
        tasks = self.loaded.suite.tasks
        return frozenset(task.name for task in tasks if any(spec.judge == judge for spec in task.scorers))


@dataclass(frozen=True)
class Conduct:
    """How runs are carried out: who is told, and what may be spent."""

    progress: Progress = field(default_factory=Silent)
    meter: Meter = field(default_factory=Meter)

    @asynccontextmanager
    async def started(self, engine: Engine, candidate: Candidate) -> AsyncIterator[Engine]:
        """The candidate's engine, up for the length of a pass and fully gone after it: the next may need the device.

        What is asked of the engine that is handed out is metered; it raises LimitReached.
        """
        try:
            if engine.loading:
                self.progress.say(engine.loading)
            await engine.start()
            for warning in engine.warnings:
                self.progress.say(f"warning: {warning}")
            yield MeteredEngine(engine, candidate, self.meter)
        finally:
            await engine.close()


@contextmanager
def tallied(progress: Progress, tally: Tally) -> Iterator[Tally]:
    """A pass's tally, shown while the pass is under way."""
    tally.done = tally.before
    progress.begin(tally)
    try:
        yield tally
    finally:
        progress.end(tally)
