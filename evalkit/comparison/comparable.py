"""Whether two runs may be compared at all: the same suite, data, scorers and judges, both whole and finished."""

from evalkit.core.errors import NoBaseline, RunInvalid
from evalkit.core.manifest import RunManifest, partial_words, resuming


def check_comparable(baseline: RunManifest, candidate: RunManifest) -> None:
    """Raises NoBaseline naming every field that differs, RunInvalid for a run that is not finished."""
    for arm, manifest in (("baseline", baseline), ("candidate", candidate)):
        if manifest.status != "complete":
            raise RunInvalid(
                f"{arm} run {manifest.run_id} is {manifest.status}: nothing may be concluded from it. "
                f"Finish it with: {resuming(manifest)}"
            )
    if baseline.partial is not None:
        raise NoBaseline(
            f"baseline run {baseline.run_id} is partial ({partial_words(baseline)}): run the whole suite for a baseline"
        )
    if candidate.partial is not None:
        raise RunInvalid(
            f"candidate run {candidate.run_id} is partial ({partial_words(candidate)}): "
            "run the whole suite to compare it"
        )
    differing = differing_fields(baseline, candidate)
    if differing:
        raise NoBaseline(f"runs {baseline.run_id} and {candidate.run_id} are not comparable: {'; '.join(differing)}")


def differing_fields(baseline: RunManifest, candidate: RunManifest) -> list[str]:
    """What differs between two runs that a comparison needs to be the same, in words."""
    if baseline.suite.name != candidate.suite.name:
        return [f"suite {baseline.suite.name} against suite {candidate.suite.name}"]
    shared = {
        name
        for name in baseline.digests.keys() | candidate.digests.keys()
        if name.split(":")[0] in ("suite", "data", "scorer", "judge")
    }
    return [
        f"{name} differs ({_short(baseline.digests.get(name))} against {_short(candidate.digests.get(name))})"
        for name in sorted(shared)
        if baseline.digests.get(name) != candidate.digests.get(name)
    ]


def _short(digest: str | None) -> str:
    return digest[:8] if digest else "absent"
