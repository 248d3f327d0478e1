"""The command line that is written down in a manifest, changed into the one that goes on with the run."""

import shlex
from collections.abc import Iterable


def without_options(command: str, names: Iterable[str]) -> str:
    """The command line without some options, each of which has a value. One that is no command line stays as it is.

    >>> without_options("evalkit run s --shard 1/3 --candidate c --run-id=a", ("--shard", "--run-id"))
    'evalkit run s --candidate c'
    """
    dropped = tuple(names)
    try:
        words = iter(shlex.split(command))
    except ValueError:
        return command
    kept = []
    for word in words:
        if word in dropped:
            next(words, None)
        elif not word.startswith(tuple(f"{name}=" for name in dropped)):
            kept.append(word)
    return shlex.join(kept)
