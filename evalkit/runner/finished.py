"""Whether a run is whole as it stands, so that nothing of it needs to be read again."""

from evalkit.core.errors import RunInvalid
from evalkit.core.judge import asked_judge_digest
from evalkit.core.manifest import RunManifest, resuming
from evalkit.engines.base import model_identity
from evalkit.runner.bind import open_engine
from evalkit.runner.under_way import Run
from evalkit.store.rundir import RunDirectory

_SCORED_BY = ("suite", "candidate", "data:", "scorer:", "judge:")


def is_finished(run: Run, wanted: RunManifest) -> bool:
    """Whether everything was asked and answered, and scored by what would score it now.

    wanted: the manifest of a new run of the same.
    """
    directory, manifest = run.directory, run.directory.manifest
    counts = manifest.counts
    if manifest.status != "complete" or counts.get("failed_system") or counts.get("unjudged"):
        return False
    if _scoring(manifest.digests) != _scoring({**wanted.digests, **_asked_judges(run)}):
        return False
    if not directory.summary.is_file() or not _is_the_same_model(run):
        return False
    return bool(manifest.files) and not directory.changed_files()


def check_whole(manifest: RunManifest) -> None:
    """Raise RunInvalid for a run that is not finished."""
    if manifest.status != "complete":
        raise RunInvalid(f"run {manifest.run_id} is {manifest.status}. Go on with: {resuming(manifest)}")


def check_unchanged(directory: RunDirectory) -> None:
    """Raise RunInvalid when a finished run's files are not as they were: what is gone would count as missing."""
    manifest = directory.manifest
    changed = directory.changed_files() if manifest.files and manifest.status == "complete" else ()
    if changed:
        raise RunInvalid(
            f"run {directory.path}: {', '.join(changed)} changed since the run was counted. Restore it, or count anew "
            f"what is there: evalkit score {directory.path}"
        )


def _scoring(digests: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in digests.items() if name.startswith(_SCORED_BY)}


def _asked_judges(run: Run) -> dict[str, str]:
    """The judges' digests, as they are known without a model that is started."""
    digests = {}
    for name, asked in run.binding.asked.items():
        engine = open_engine(asked.candidate, (asked.loaded.folder, *run.data_folders))
        identity = model_identity(engine, asked.candidate)
        digests[f"judge:{name}"] = asked_judge_digest(asked.loaded.spec, identity)
    return digests


def _is_the_same_model(run: Run) -> bool:
    """Other weights in the same folder are refused later, with words; here they only mean: look closely."""
    engine, manifest = run.engine, run.directory.manifest
    if engine is None or "weights" not in engine.served:
        return True
    return manifest.digests.get("model") == model_identity(engine, manifest.candidate)
