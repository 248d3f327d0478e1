"""What a run was: enough to run it again and to say whether another run is comparable."""

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from evalkit.core.candidate import Candidate
from evalkit.core.judge import JudgeSpec
from evalkit.core.noun import Noun
from evalkit.core.suite import Suite

RUN_SCHEMA = "evalkit.run/1"

Status = Literal["running", "complete", "incomplete", "interrupted"]


class BoundJudge(Noun):
    """A judge as it was used in a run."""

    spec: JudgeSpec
    candidate: Candidate | None = None
    """The model bound to it; None for recorded verdicts."""
    digest: str


class RunManifest(Noun):
    """`manifest.json`: written first as `running`, replaced whole at each change of status."""

    schema_: str = Field(default=RUN_SCHEMA, alias="schema", serialization_alias="schema")
    run_id: str
    status: Status
    suite: Suite
    candidate: Candidate
    system: str
    """The name under which labels and recorded verdicts know this candidate's answers."""
    judges: dict[str, BoundJudge] = {}
    digests: dict[str, str] = {}
    """suite, data:TASK, scorer:TASK/NAME, candidate."""
    seeds: dict[str, int] = {}
    served: dict[str, str] = {}
    """What the engine said of the model behind it (paths, hashes, server); never a secret."""
    versions: dict[str, str] = {}
    hardware: dict[str, Any] = {}
    git_commit: str | None = None
    counts: dict[str, int] = {}
    """samples, responses, scores, and failures by blame."""
    files: dict[str, str] = {}
    """What the run held when it was last counted: file -> digest of its bytes."""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    wall_s: float | None = None
    partial: dict[str, Any] | None = None
    """Which filter made the run partial (`limit`, `language`, `task`, `tag`, `shard`); None = whole. Refused as a
    baseline.
    """
    merged_from: tuple[str, ...] = ()
    """Ids of the shards that this run was put together from, first to last; () = it was asked as it is."""
    command: str = ""
    """The command line to run it again."""


def partial_words(manifest: RunManifest) -> str:
    """The filter of a partial run in words; "" = the run is whole."""
    chosen = manifest.partial or {}
    return ", ".join(
        f"{name} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        for name, value in chosen.items()
    )


def resuming(manifest: RunManifest) -> str:
    """The command line that goes on with a run that was not finished."""
    if manifest.merged_from and not manifest.counts:  # the merge itself was cut off: it is made again
        return manifest.command or "evalkit merge RUN..."
    return f"{manifest.command or 'evalkit run SUITE --candidate CANDIDATE'} --resume"
