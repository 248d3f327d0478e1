"""The generation pass: requests.jsonl in, responses.jsonl out, each answer appended as it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evalkit.core.request import Request
from evalkit.engines.base import Engine
from evalkit.runner.flight import keep_in_flight
from evalkit.runner.progress import Progress
from evalkit.store.index import DigestIndex, index_finished
from evalkit.store.keys import key_digest
from evalkit.store.records import RecordWriter, read_records
from evalkit.store.rundir import RunDirectory


@dataclass(frozen=True)
class Pending:
    """The requests of a run that have no answer yet."""

    requests: Path
    finished: DigestIndex
    total: int
    """All requests of the run."""

    @property
    def done(self) -> int:
        """Requests answered. An answer to a request that is no longer asked does not occur: the plan is fixed by its
        digest.
        """
        return len(self.finished)

    def __iter__(self) -> Iterator[Request]:
        """Stream them, in the order of the plan."""
        for _, request in read_records(self.requests, Request):
            if key_digest(request.key, None, request.digest) not in self.finished:
                yield request


def pending_requests(directory: RunDirectory) -> Pending:
    """What is still to be asked. A system failure is no answer: it is asked again."""
    return Pending(directory.requests, index_finished(directory.responses), directory.manifest.counts["requests"])


async def generate(engine: Engine, pending: Pending, directory: RunDirectory, progress: Progress) -> None:
    """Ask everything pending of an engine that is started. What ends is on file at once, whatever happens after."""

    async def answer(request: Request) -> None:
        response = await engine.respond(request)
        writer.append(response)
        progress.advance(failed=response.failure is not None, output_tokens=response.usage.output_tokens)

    progress.begin(f"answers: {directory.manifest.candidate.name}", pending.total, done=pending.done)
    with RecordWriter(directory.responses) as writer:
        await keep_in_flight(pending, answer, engine.concurrency)
    progress.end()
