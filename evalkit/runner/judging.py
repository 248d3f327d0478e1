"""Which judge is asked when: beside the candidate where they share no device, else after it, one at a time."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence, Set
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from evalkit.core.judge import asked_judge_digest
from evalkit.core.manifest import BoundJudge
from evalkit.engines.base import Engine, model_identity
from evalkit.runner.bind import AskedJudge, open_engine
from evalkit.runner.judge import JudgeBeside, JudgingPass, is_unscored
from evalkit.runner.progress import Progress, Silent, Tally
from evalkit.runner.under_way import Conduct, Run, tallied
from evalkit.scorers.judge import Judge

BesideJudging = Callable[[Engine, str], Awaitable[None]]
"""What else a judge is asked while its engine is there; takes the engine, started, and the judge's digest."""


@dataclass(frozen=True)
class JudgeAtWork:
    """A judge with the engine that answers for it."""

    name: str
    asked: AskedJudge
    engine: Engine

    @classmethod
    def of(cls, name: str, run: Run, progress: Progress | None = None) -> Self:
        """The judge as a run binds it; its engine is not started. progress: is told what happens to the engine."""
        asked = run.binding.asked[name]
        folders = (asked.loaded.folder, *run.data_folders)
        return cls(name, asked, open_engine(asked.candidate, folders, say=(progress or Silent()).say))

    @property
    def judge(self) -> Judge:
        """As it is now: a server, or a hub, says what it serves when it is there."""
        digest = asked_judge_digest(self.asked.loaded.spec, model_identity(self.engine, self.asked.candidate))
        return Judge(self.asked.loaded.spec, self.name, digest)

    def bind(self, run: Run) -> None:
        """Write down which judge scores this run."""
        judge, directory = self.judge, run.directory
        bound = BoundJudge(spec=judge.spec, candidate=self.asked.candidate, digest=judge.digest)
        manifest = directory.manifest
        update = {
            "judges": {**manifest.judges, self.name: bound},
            "digests": {**manifest.digests, f"judge:{self.name}": judge.digest},
        }
        directory.write_manifest(manifest.model_copy(update=update))

    def begin(self, run: Run, asked: Engine, progress: Progress, held: ExitStack) -> JudgingPass:
        """Its pass over a run, shown until `held` is closed. asked: its engine, started."""
        self.bind(run)
        manifest, tasks = run.directory.manifest, run.tasks_of(self.name)
        total = sum(manifest.counts.get(f"requests:{task}", 0) for task in tasks)
        name = f"judge {self.name}: {manifest.candidate.name}"
        tally = held.enter_context(tallied(progress, Tally(name, total, price=self.asked.candidate.price)))
        return held.enter_context(JudgingPass(self.judge, asked, run.directory, tasks, tally))


def bind_judges(run: Run, names: Collection[str]) -> None:
    """Write down which judges score a run, before they are asked. Raises InputError for a judge whose model is not
    there.
    """
    for name in names:
        JudgeAtWork.of(name, run).bind(run)


class JudgesBeside:
    """The judges that answer while candidates still do; each is started when first needed, and serves all runs."""

    def __init__(self, runs: Sequence[Run], left_out: Set[str], conduct: Conduct, held: AsyncExitStack):
        """left_out: judges that are asked something else too, and wait. held: closes what is started."""
        self._conduct = conduct
        self._held = held
        self._there: dict[str, tuple[JudgeAtWork, Engine]] = {}
        self._names = frozenset(_may_answer_beside(runs, conduct.progress)) - left_out
        self.done: set[tuple[Path, str]] = set()
        """(run directory, judge) that have answered, or begun to, beside the candidate."""

    async def begin(self, run: Run, held: ExitStack) -> tuple[list[JudgeBeside], list[Coroutine[Any, Any, None]]]:
        """Where this run's answers are handed in, and the judging that takes them, to be awaited beside."""
        hands, judging = [], []
        for name in run.binding.asked:
            if name in self._names:
                at_work, asked = await self._started(name, run)
                hand = JudgeBeside(run.tasks_of(name), asked.concurrency)
                hands.append(hand)
                judging.append(at_work.begin(run, asked, self._conduct.progress, held).run_beside(hand))
                self.done.add((run.directory.path, name))
        return hands, judging

    async def _started(self, name: str, run: Run) -> tuple[JudgeAtWork, Engine]:
        if name not in self._there:
            at_work = JudgeAtWork.of(name, run, self._conduct.progress)
            up = self._conduct.started(at_work.engine, at_work.asked.candidate)
            self._there[name] = at_work, await self._held.enter_async_context(up)
        return self._there[name]


async def judge(
    runs: Sequence[Run],
    conduct: Conduct,
    beside: Mapping[str, BesideJudging] | None = None,
    done: Set[tuple[Path, str]] = frozenset(),
) -> None:
    """Ask every judge that asks a model, one after the other, each about all runs. done: (run, judge) that are."""
    for name in dict.fromkeys(name for run in runs for name in run.binding.asked):
        left = [run for run in runs if name in run.binding.asked and (run.directory.path, name) not in done]
        if left:
            await _judge_by(name, left, conduct, (beside or {}).get(name))


async def _judge_by(name: str, runs: Sequence[Run], conduct: Conduct, beside: BesideJudging | None) -> None:
    """One judge over runs that bind the same model to it. Its engine is not started when it has scored everything."""
    at_work = JudgeAtWork.of(name, runs[0], conduct.progress)
    judge = at_work.judge
    if beside is None and not any(is_unscored(run.directory, judge, run.tasks_of(name)) for run in runs):
        for run in runs:
            at_work.bind(run)
        return
    async with conduct.started(at_work.engine, at_work.asked.candidate) as asked:
        if beside is not None:
            await beside(asked, at_work.judge.digest)
        for run in runs:
            with ExitStack() as held:
                await at_work.begin(run, asked, conduct.progress, held).run()


def _may_answer_beside(runs: Sequence[Run], progress: Progress) -> Iterator[str]:
    """The judges that do not share a device with a candidate, or with another judge that answers beside it."""
    taken = any(run.engine is not None and run.engine.in_process for run in runs)
    for name in dict.fromkeys(name for run in runs for name in run.binding.asked):
        bound = next(run for run in runs if name in run.binding.asked)
        engine = JudgeAtWork.of(name, bound, progress).engine
        if not (engine.in_process and taken):
            taken = taken or engine.in_process
            yield name
