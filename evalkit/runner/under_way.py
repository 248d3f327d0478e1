"""A run that is under way, and what is held for the length of a pass: an engine that is up, a tally that is shown."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.content.suites import LoadedSuite
from evalkit.core.candidate import Candidate
from evalkit.engines.base import Engine
from evalkit.runner.bind import Binding
from evalkit.runner.cached import with_cache
from evalkit.runner.meter import Meter, MeteredEngine
from evalkit.runner.progress import Progress, Silent, Tally
from evalkit.store.cache import ResponseCache
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
    """How runs are carried out: who is told, what may be spent, and what need not be asked again."""

    progress: Progress = field(default_factory=Silent)
    meter: Meter = field(default_factory=Meter)
    cache: ResponseCache | None = None
    """Answers of other runs; None = they are left alone."""

    @asynccontextmanager
    async def started(
        self, engine: Engine, candidate: Candidate, measured: frozenset[str] = frozenset()
    ) -> AsyncIterator[Engine]:
        """The candidate's engine, up for the length of a pass and fully gone after it: the next may need the device.

        What is asked of the engine that is handed out is metered, and it raises LimitReached; what the cache knows
        costs nothing. measured: the tasks in which everything must be asked in any case.
        """
        try:
            if engine.loading:
                self.progress.say(engine.loading)
            await engine.start()
            for warning in engine.warnings:
                self.progress.say(f"warning: {warning}")
            metered = MeteredEngine(engine, candidate, self.meter)
            async with with_cache(metered, candidate, self.cache, self.progress, measured) as asked:
                yield asked
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
