"""Say in one sentence, with its place, why a file is no YAML.

    suites/support/suite.yaml:12:1: a tab stands where only spaces may: YAML is indented with spaces

The parser's own words speak of tokens and nodes; here they are turned into what a person has to mend.
"""

from pathlib import Path

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from evalkit.core.errors import InputError, Place

# What the parser says -> what a person needs to hear. The first that occurs in its words is used.
_SYNTAX = (
    ("'\\t'", "a tab stands where only spaces may: YAML is indented with spaces"),
    ("mapping values are not allowed", "`: ` is not allowed here: put the text in quotes, or mend the indentation"),
    (
        "sequence entries are not allowed",
        "`- ` is not allowed here: begin a list on its own line, or put the text in quotes",
    ),
    ("cannot start any token", "a text that begins with this character needs quotes"),
    ("undefined alias", "a text that begins with `*` needs quotes"),
    ("while scanning an alias", "a text that begins with `*` needs quotes"),
    ("while scanning an anchor", "a text that begins with `&` needs quotes"),
    (
        "unknown escape character",
        "inside double quotes a backslash begins an escape: use single quotes, or write it twice",
    ),
    ("while scanning a quoted scalar", "a quote is opened here and never closed"),
    ("while parsing a flow sequence", "a bracket `[` is opened here and not closed"),
    ("while parsing a flow mapping", "a brace `{` is opened here and not closed; a text that begins so needs quotes"),
    ("found '<stream end>'", "the file ends before a bracket or a brace is closed"),
    ("expected a single document", "a second document begins here (`---`): one file holds one"),
    ("found '<scalar>'", "the indentation does not fit the lines above, or a text goes on after its closing quote"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("could not find expected ':'", "`: ` is missing after a key, or a text runs over lines without quotes"),
    ("while scanning a block scalar", "after `|` or `>` a text begins on the next line"),
)
_OPENED_HERE = ("while scanning a quoted scalar", "while parsing a flow sequence", "while parsing a flow mapping")
"""Contexts whose beginning is the place to mend."""


def syntax_error(error: YAMLError, file: Path, source: str) -> InputError:
    """What the parser could not read, as the error to raise. file: as people should read it."""
    if isinstance(error, ReaderError):
        where = place_of_index(file, source, error.position)
        return InputError("no YAML file may hold this character: remove it, or write it as an escape", where)
    if not isinstance(error, MarkedYAMLError):
        return InputError(f"this is not YAML: {error}", Place(file))
    words = f"{error.context} {error.problem}"
    message = next((said for heard, said in _SYNTAX if heard in words), f"this is not YAML: {error.problem}")
    opened = error.context_mark if error.context in _OPENED_HERE else None
    mark = opened or error.problem_mark or error.context_mark
    return InputError(message, Place(file, mark.line + 1, mark.column + 1) if mark else Place(file))


def place_of_index(file: Path, text: str, index: int) -> Place:
    """The line and column of a character of a text.

    >>> str(place_of_index(Path("a.txt"), "one\\ntwo", 5))
    'a.txt:2:2'
    """
    return Place(file, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))
