"""Print for people: untrusted text cannot move their cursor, and a reader that left does not change an exit code."""

import os
import sys
from typing import TextIO

from evalkit.report.text import visible


def say(text: str = "", stream: TextIO | None = None) -> None:
    """Print lines to stdout (or `stream`). Control characters are written as their codes.

    What cannot be written is not an error of the command: a pipe that was closed swallows the rest, a full disk is said
    on stderr, a character the terminal cannot show is escaped.
    """
    target = sys.stdout if stream is None else stream
    lines = "".join(visible(line) + "\n" for line in text.split("\n"))
    encoding = target.encoding or "utf-8"
    try:
        target.write(lines.encode(encoding, "backslashreplace").decode(encoding))
        target.flush()
    except BrokenPipeError:
        _give_up(target)
    except OSError as error:
        _give_up(target)
        if target is not sys.stderr:
            say(f"evalkit: what stood here cannot be written: {error.strerror}", sys.stderr)


def _give_up(target: TextIO) -> None:
    """Send the rest of a stream nowhere: nobody reads it, and Python would complain once more at its exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), target.fileno())
    except (OSError, ValueError):  # a stream without a file behind it
        return
