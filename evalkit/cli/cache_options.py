"""Where answers are kept for later runs: `--cache`, `--no-cache`, EVALKIT_CACHE, or the user's cache folder."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from evalkit.core.errors import InputError

VARIABLE = "EVALKIT_CACHE"

CacheFolder = Annotated[
    Path | None,
    typer.Option(
        "--cache", help=f"Folder of answers kept across runs; ${VARIABLE} (a folder, or off), else the user's cache."
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Ask everything anew, and keep nothing for other runs.")]


def chosen_cache(folder: Path | None, no_cache: bool) -> Path | None:
    """The folder by flags and environment; None = no cache. Raises InputError when both flags are given."""
    if no_cache and folder is not None:
        raise InputError(f"--cache {folder} and --no-cache: leave one of them out")
    if no_cache:
        return None
    return folder or usual_cache(os.environ, sys.platform)


def usual_cache(environment: Mapping[str, str], platform: str) -> Path | None:
    """The folder where no flag names one; None = the environment says off, or there is no home.

    >>> usual_cache({"HOME": "/home/ann"}, "linux").as_posix()
    '/home/ann/.cache/evalkit'
    >>> usual_cache({"HOME": "/home/ann", "EVALKIT_CACHE": "off"}, "linux") is None
    True
    """
    named = environment.get(VARIABLE, "").strip()
    if named:
        return None if named.lower() == "off" else Path(named).expanduser()
    home = environment.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        return None
    if platform == "darwin":
        return Path(home, "Library", "Caches", "evalkit")
    base = environment.get("XDG_CACHE_HOME", "")
    # A relative one is to be ignored (XDG Base Directory Specification).
    return Path(base if os.path.isabs(base) else Path(home, ".cache"), "evalkit")
