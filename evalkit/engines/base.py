"""The one verb of an engine, and how one is opened.

An engine answers requests; the runner keeps `concurrency` of them under way and appends each response as it ends.
What goes wrong with one request is a Response with a Failure, never an exception. An exception out of `respond` is
either an InputError (the run cannot go on: unknown model, no server there at start) or a bug.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of
from evalkit.core.request import Request
from evalkit.core.response import Response


@dataclass(frozen=True)
class EngineContext:
    """What an engine may need beside its candidate."""

    data_folders: tuple[Path, ...] = ()
    """Where a relative file of the candidate is looked for, in this order, after the working directory."""
    measure_timing: bool = False
    """Stream, so that the time to the first token can be measured."""


class Engine(Protocol):
    """Answers requests. Made by its class from (candidate, context); opening may raise InputError."""

    name: str
    version: str
    """The engine's own version, recorded in the manifest."""
    concurrency: int
    """How many requests it wants in flight."""
    in_process: bool
    """Whether the model lies in this process, on a device that another one may need: no two of them are started."""
    transport_arguments: frozenset[str]
    """Names of engine_args that change how it is asked and nothing of what it answers; no part of an identity, and
    neither is what is served under the same name.
    """
    loading: str
    """What is said before it starts; "" = it is there at once."""
    warnings: tuple[str, ...]
    """Sentences for whoever started the run, known once the engine is started."""

    @property
    def served(self) -> dict[str, str]:
        """What is known of the model behind it (paths, hashes, server); recorded in the manifest. Never a secret.

        Dry runs read it of an engine that is not started. `weights` in it is a digest of the model's weights: the model
        is then known by what it is made of, and not by where it lies.
        """
        ...

    async def start(self) -> None:
        """Get ready (open connections, load weights). Raises InputError when it cannot serve at all."""

    async def respond(self, request: Request) -> Response:
        """One answer, or a Response with a Failure."""
        ...

    async def close(self) -> None:
        """Give everything back."""


def model_identity(engine: Engine, candidate: Candidate) -> str:
    """Digest of what answers: the candidate without name and price, the engine and its version, and what it served.

    Two runs with the same identity and the same request may share an answer; a judge's digest is bound to it. Of a
    model whose weights' digest is served, `model` is no part of it, nor is an engine argument (an adapter's folder, a
    chat template's file) whose own digest is served under the argument's name: a path says nothing about a model.
    """
    served = {name: said for name, said in engine.served.items() if name not in engine.transport_arguments}
    described = candidate.model_dump(mode="json", exclude={"name", "price"})
    left_out = set(engine.transport_arguments)
    if "weights" in served:
        del described["model"]
        left_out |= served.keys()
    described["engine_args"] = {name: value for name, value in candidate.engine_args.items() if name not in left_out}
    return digest_of({"candidate": described, "engine": engine.name, "version": engine.version, "served": served})
