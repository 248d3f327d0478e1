"""Keep what libraries print while a model is loaded off the terminal, down to what C++ code writes by itself.

with captured_output() as printed:
    load()
printed()  ->  "[Gloo] Rank 0 is connected to 0 peer ranks ..."

A run's standard output is data for whoever reads it (`evalkit run ... | jq`): nothing else may stand in it.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STDOUT_AND_STDERR = (1, 2)


@contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Send the process's standard output and error into a file meanwhile; calling what is given reads it so far.

    Processes that are started meanwhile keep writing there. All threads are concerned: nothing else should be said.
    """
    with tempfile.TemporaryFile() as file:

        def printed() -> str:
            return os.pread(file.fileno(), 1 << 24, 0).decode("utf-8", "replace")

        _flush()
        kept = {descriptor: os.dup(descriptor) for descriptor in _STDOUT_AND_STDERR if _is_open(descriptor)}
        try:
            for descriptor in kept:
                os.dup2(file.fileno(), descriptor)
            yield printed
        finally:
            _flush()
            for descriptor, original in kept.items():
                os.dup2(original, descriptor)
                os.close(original)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
