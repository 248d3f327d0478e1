"""The run directory: where everything about one run lies.

    runs/20261120-231502-llama2new-3f2a/
      manifest.json  lock  samples.jsonl  requests.jsonl  responses.jsonl  scores.jsonl  log.jsonl
      judging/<judge>/<judge digest>/{requests,responses}.jsonl     summary.json: derived, may be deleted

It holds people's text: the folder is its owner's alone (0700), and so is each file (0600). The manifest is replaced
whole; everything else is only appended to, by whoever holds the lock. Readers need no lock.
"""

import unicodedata
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from evalkit.core.digest import digest_of, digest_of_file
from evalkit.core.errors import EvalkitError, InputError, Place
from evalkit.core.manifest import RUN_SCHEMA, RunManifest
from evalkit.store.disk import (
    PRIVATE_FOLDER,
    disk_error,
    make_private_folder,
    sync_folder,
    write_document,
)
from evalkit.store.lock import hold_lock
from evalkit.store.records import RecordWriter
from evalkit.store.schema import read_noun
from evalkit.store.torn import mend_torn_tail

MANIFEST = "manifest.json"
NAME_LIMIT_BYTES = 120


@dataclass(frozen=True)
class JudgingFiles:
    """What one judge was asked and answered."""

    requests: Path
    """Digests and references; a judge's request is rendered again when needed."""
    responses: Path


def judging_files(folder: Path, judge: str, digest: str) -> JudgingFiles:
    """Where a judge's requests and verdicts lie under a folder; names are quoted where a folder could not bear them."""
    own = folder / "judging" / quoted_name(judge) / digest[:16]
    return JudgingFiles(requests=own / "requests.jsonl", responses=own / "responses.jsonl")


class RunDirectory:
    """One run on disk. Made by `create` or `open`."""

    def __init__(self, path: Path, manifest: RunManifest):
        """Not called directly: `create` makes a directory, `open` reads one."""
        self.path = path
        self._manifest = manifest
        self.samples = path / "samples.jsonl"
        self.requests = path / "requests.jsonl"
        self.responses = path / "responses.jsonl"
        self.scores = path / "scores.jsonl"
        self.log_file = path / "log.jsonl"
        self.summary = path / "summary.json"

    @classmethod
    def create(cls, path: Path, manifest: RunManifest) -> Self:
        """Make the directory and write its manifest. Raises InputError when a run lies there already."""
        make_private_folder(path.parent)
        try:
            path.mkdir(mode=PRIVATE_FOLDER)
            sync_folder(path.parent)
        except FileExistsError:
            if not _is_bare(path):
                mend = "Go on with that run (--resume), or choose another folder."
                raise InputError(f"is there already. {mend}", Place(path)) from None
        except OSError as error:
            raise disk_error(error, path, "made") from error
        run = cls(path, manifest)
        run.write_manifest(manifest)
        return run

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a run. Raises InputError when there is none, or one that a newer evalkit wrote."""
        return cls(path, read_manifest(path))

    @property
    def manifest(self) -> RunManifest:
        """The manifest as last read or written here."""
        return self._manifest

    def write_manifest(self, manifest: RunManifest) -> None:
        """Replace the manifest whole."""
        write_document(self.path / MANIFEST, manifest.model_dump(mode="json", by_alias=True))
        self._manifest = manifest

    def update_manifest(self, manifest: RunManifest) -> None:
        """Replace the manifest where it says something new."""
        if manifest != self._manifest:
            self.write_manifest(manifest)

    def file_digests(self) -> dict[str, str]:
        """Digest of every file that holds answers, verdicts or scores, as it is now; not of the log."""
        files = sorted([*self.path.glob("*.jsonl"), *self.path.glob("judging/*/*/*.jsonl")])
        return {str(file.relative_to(self.path)): digest_of_file(file) for file in files if file != self.log_file}

    def changed_files(self) -> tuple[str, ...]:
        """The files that are not as they were when the run was last counted."""
        before, now = self.manifest.files, self.file_digests()
        return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))

    def lock(self) -> AbstractContextManager[None]:
        """`with run.lock():` nobody else writes. Raises InputError that names the process that does."""
        return hold_lock(self.path / "lock")

    def judging(self, judge: str, digest: str) -> JudgingFiles:
        """The files of one judge as it is (digest): another model's verdicts are never taken for its own."""
        return judging_files(self.path, judge, digest)

    def mend(self) -> dict[str, int]:
        """Cut torn last lines away: file -> bytes cut, for those that had one; each is logged. Needs the lock.

        What a killed process left of a document that it was replacing is deleted: the old one is whole.
        """
        for part in self.path.glob(".*.part"):
            part.unlink(missing_ok=True)
        files = sorted([*self.path.glob("*.jsonl"), *self.path.glob("judging/*/*/*.jsonl")])
        cut = {str(file.relative_to(self.path)): mend_torn_tail(file) for file in files}
        cut = {name: size for name, size in cut.items() if size}
        for name, size in cut.items():
            self.log("torn_line_cut", file=name, bytes=size)
        return cut

    def log(self, event: str, **fields: Any) -> None:
        """Append what happened, with the time in UTC, to `log.jsonl`."""
        with RecordWriter(self.log_file) as writer:
            writer.append({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields})


def _is_bare(path: Path) -> bool:
    """Whether a folder is what a run leaves that was killed before its manifest was written: at most a lock in it."""
    return path.is_dir() and all(entry.name == "lock" or entry.suffix == ".part" for entry in path.iterdir())


def read_manifest(path: Path) -> RunManifest:
    """The manifest of the run in this folder, as it is on disk now."""
    file = path / MANIFEST
    if not file.is_file():
        raise InputError(f"is no run: it has no {MANIFEST}. `evalkit list runs` shows those there are.", Place(path))
    return read_noun(file, RunManifest, RUN_SCHEMA, "Restore it, or run again.")


@dataclass(frozen=True)
class FoundRun:
    """A folder that holds a run, or that should."""

    path: Path
    manifest: RunManifest | None
    problem: str = ""
    """Why the manifest cannot be read; "" = it can."""


def list_runs(root: Path) -> tuple[FoundRun, ...]:
    """The runs directly under a folder, latest first, then those that cannot be read. No such folder: no runs."""
    found = [_found(file.parent) for file in root.glob(f"*/{MANIFEST}")]
    readable = sorted((run for run in found if run.manifest), key=_started, reverse=True)
    return (*readable, *sorted((run for run in found if not run.manifest), key=lambda run: run.path))


def _found(path: Path) -> FoundRun:
    try:
        return FoundRun(path, read_manifest(path))
    except EvalkitError as error:
        return FoundRun(path, None, str(error))


def _started(run: FoundRun) -> tuple[float, str]:
    assert run.manifest is not None
    return run.manifest.started_at.timestamp(), run.path.name


def new_run_id(name: str, now: datetime) -> str:
    """A run's id: sorts by its start (UTC), is named for its candidate, and is a good folder name.

    >>> from datetime import datetime, UTC
    >>> new_run_id("openai:llama 3/8B", datetime(2026, 11, 20, 23, 15, 2, tzinfo=UTC))
    '20261120-231502-openai-llama-3-8B-2380'
    """
    begun = now.astimezone(UTC)
    letters = unicodedata.normalize("NFC", name)
    kept = "".join(letter if letter.isalnum() or letter in "._" else " " for letter in letters)
    short = "-".join(kept.split()).encode()[:NAME_LIMIT_BYTES].decode(errors="ignore").strip(".-")
    # Two runs of one name that begin within the same second are told apart by their microseconds.
    mark = digest_of([name, begun.isoformat()])[:4]
    return "-".join(part for part in (f"{begun:%Y%m%d-%H%M%S}", short, mark) if part)


def quoted_name(name: str) -> str:
    """A name as one safe part of a path; different names stay different.

    >>> quoted_name("gpt-4/Swap"), quoted_name("..")
    ('gpt-4%2FSwap', '%2E%2E')
    """
    quoted = quote(name, safe="", errors="surrogatepass")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted
