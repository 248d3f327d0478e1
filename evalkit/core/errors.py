"""The error model.

What goes wrong is one of three things, and only one of them is an exception here.

1. A sample fails: the model ran out of tokens, a server answered 500, a judge gave no verdict. That is data, not an
   exception: a `Failure` with blame (core/failure.py) stands where the answer or the score would stand, and the run
   goes on.
2. Somebody's input is wrong: a file, a name, a flag. That is an `EvalkitError` below. It says the value, the place,
what
   was expected and the mend, and carries the exit code. The command line prints it as one sentence.
3. We are wrong. Any other exception is a bug of ours: caught at one boundary (cli/app.py), exit code 70.

    EvalkitError              exit
      InputError              2     usage, configuration or data is wrong
      RunInvalid              4     a run is invalid or incomplete
        EngineLost            4     the engine is gone; what is finished is kept, and the run can go on later
      NoBaseline              5     nothing comparable to compare with
      RunInterrupted          130   stopped by the user; everything finished is kept
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; line and column count from 1, None = the whole file (or line)."""

    file: Path | str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """`suite.yaml:37:5`, or as much of it as is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class EvalkitError(Exception):
    """Something a user can mend. `str(error)` is the whole sentence, place first."""

    exit_code = 2

    def __init__(self, message: str, place: Place | None = None):
        super().__init__(f"{place}: {message}" if place is not None else message)
        self.message = message
        self.place = place


class InputError(EvalkitError):
    """Usage, configuration or data is wrong."""

    exit_code = 2


class RunInvalid(EvalkitError):
    """A run is invalid or incomplete, so that nothing may be concluded from it."""

    exit_code = 4


class EngineLost(RunInvalid):
    """The engine is gone; what is finished is kept, and the run can go on later."""

    def go_on_with(self, command: str) -> "EngineLost":
        """The same, with the command that goes on; where runs are carried out together, the first one's stays."""
        said = "Go on with: "
        return self if said in self.message else EngineLost(f"{self.message} {said}{command}", self.place)


class NoBaseline(EvalkitError):
    """There is no baseline that the candidate can be compared with; the differing fields are named."""

    exit_code = 5


class RunInterrupted(EvalkitError):
    """The user stopped the run; everything finished is kept and the message says how to go on."""

    exit_code = 130


def unknown_name(kind: str, name: str, known: Iterable[str], place: Place | None = None, hint: str = "") -> InputError:
    """The error for a name nobody knows, with the nearest known one.

    >>> str(unknown_name("scorer", "exactmatch", ["exact", "includes"]))
    'scorer "exactmatch" is not known. Did you mean "exact"? Known: exact, includes.'
    """
    names = sorted(known)
    near = nearest_name(name, names)
    guess = f' Did you mean "{near}"?' if near else ""
    listed = f" Known: {', '.join(names)}." if 0 < len(names) <= 12 else ""
    return InputError(f'{kind} "{name}" is not known.{guess}{hint and " " + hint}{listed}', place)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that a person most likely meant, or None.

    >>> nearest_name("langauge", ["language", "cluster"])
    'language'
    """
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
