"""Where the numbers come from: both runs side by side, and everything needed to make them again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evalkit.core.comparison import Comparison, RunSummary


@dataclass(frozen=True)
class ArmLine:
    """One property of both runs."""

    name: str
    baseline: str
    candidate: str

    @property
    def differs(self) -> bool:
        """Whether the two runs differ in it."""
        return self.baseline != self.candidate


def arm_lines(comparison: Comparison) -> tuple[ArmLine, ...]:
    """Model, engine, revision, times, counts by blame and digests of both runs."""
    baseline, candidate = _described(comparison.baseline), _described(comparison.candidate)
    names = dict.fromkeys([*baseline, *candidate])
    return tuple(ArmLine(name, baseline.get(name, ""), candidate.get(name, "")) for name in names)


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A nested record as (path, value) lines.

    >>> list(flattened({"versions": {"python": "3.11"}, "seeds": [0, 1]}))
    [('versions.python', '3.11'), ('seeds', '0, 1')]
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flattened(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(inner, (dict, list, tuple)) for inner in value):
        for number, inner in enumerate(value):
            yield from flattened(inner, f"{path}[{number}]")
    elif isinstance(value, (list, tuple)):
        yield path, ", ".join(str(inner) for inner in value)
    elif value is not None:
        yield path, str(value)


def _described(run: RunSummary) -> dict[str, str]:
    described = {
        "run": run.run_id,
        "model": run.model,
        "engine": run.engine,
        "revision": run.revision or "not declared",
        "started": run.started_at.isoformat(timespec="seconds"),
        "filter": ", ".join(f"{name}={value}" for name, value in flattened(run.partial or {}))
        or "none: the whole suite",
    }
    described.update((name.replace("failed_", "failed through "), f"{n:,}") for name, n in run.counts.items())
    described.update((f"digest of {name}", digest) for name, digest in run.digests.items())
    return described
