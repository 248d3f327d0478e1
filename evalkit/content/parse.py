"""Read a YAML file, and know the place of everything in it.

    suites/support/suite.yaml:9:11: `kind` is "saftey"; expected one of: quality, safety, cost, latency. ...

YAML 1.2: `no` is a text (Norwegian stays in a list of languages), a key that is there twice is refused, and tags, merge
keys and NaN are not read. The file is kept as a tree of nodes, so that a place can be asked for long after the values
were checked. What a suite or a judge is, is not known here: see suites.py, judges.py, reports.py, candidates.py.
"""

import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from evalkit.content.locate import shown
from evalkit.content.sentences import Step, first_error, sentence, steps_within, unknown_key
from evalkit.content.syntax import place_of_index, syntax_error
from evalkit.core.errors import InputError, Place

Model = TypeVar("Model", bound=BaseModel)

_TAG = "tag:yaml.org,2002:"
_AS_WRITTEN = (_TAG + "str", _TAG + "timestamp", _TAG + "value")
"""Tags whose text is kept: a date is checked by the field that wants one, and stays text elsewhere (`revision`)."""
_READ_BY_YAML = (_TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null")


@dataclass(frozen=True)
class Parsed:
    """A YAML file's values and their places."""

    file: Path
    """As people should read it."""
    value: dict[str, Any]
    """JSON-like values. Dates are texts as written."""
    source: str
    root: Node

    def place(self, *steps: Step) -> Place:
        """Where the value at `steps` stands; a step that is not in the file is passed over.

        `place("tasks", 0, "data", "file")` of `data: d.jsonl` is the place of `d.jsonl`.
        """
        key, node = self._at(steps)
        empty = isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index
        return self._place_of(key if empty and key is not None else node)

    def key_place(self, *steps: Step) -> Place:
        """Where the key of the value at `steps` stands; in a list, the entry."""
        key, node = self._at(steps)
        return self._place_of(key or node)

    def place_of_text(self, text: str, *steps: Step) -> Place:
        """Where a text first occurs inside the value at `steps`; the value's place when it is written with escapes."""
        _, node = self._at(steps)
        index = self.source.find(text, node.start_mark.index, node.end_mark.index)
        return self._place_of(node) if index < 0 else place_of_index(self.file, self.source, index)

    def _at(self, steps: tuple[Step, ...]) -> tuple[Node | None, Node]:
        key, node = None, self.root
        for step in steps:
            if isinstance(node, MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == step), None)
                key, node = pair or (key, node)
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                key, node = None, node.value[step]
        return key, node

    def _place_of(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)


def read_text(path: Path, place: Place | None = None) -> str:
    """A text file in UTF-8, with line ends as `\\n` and without a byte order mark.

    place: where the file is named, for the error when it is not there.
    Raises InputError when it cannot be read, with the line of the first byte that is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise InputError(f'"{shown(path)}" is a folder; expected a file', place) from None
    except FileNotFoundError:
        raise InputError(f'there is no file "{shown(path)}"', place) from None
    except OSError as error:
        raise InputError(f'"{shown(path)}" cannot be read: {error.strerror}', place) from None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError("the file is not UTF-8 from here on: save it as UTF-8", Place(shown(path), line)) from None


def load_yaml(path: Path) -> Parsed:
    """Read a YAML 1.2 file whose top is a mapping. Raises InputError with file:line:column for all that is wrong."""
    file, source = shown(path), read_text(path)
    if re.match(r"%YAML(?!\s+1\.2\b)", source):
        raise InputError("only YAML 1.2 is read: remove this line", Place(file, 1, 1))
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(source)
        if root is None:
            raise InputError("the file is empty; expected a mapping (`name: value` lines)", Place(file))
        if not isinstance(root, MappingNode):
            what = "a list" if isinstance(root, SequenceNode) else "a single value"
            raise InputError(f"{what} stands here; expected a mapping (`name: value` lines)", Place(file, 1, 1))
        value = _Values(yaml, file).of(root)
    except YAMLError as error:
        raise syntax_error(error, file, source) from None
    except RecursionError:
        raise InputError("values are nested too deeply to be read", Place(file)) from None
    return Parsed(file, value, source, root)


def validate(
    parsed: Parsed, model: type[Model], value: dict[str, Any] | None = None, *, filled: Collection[str] = ()
) -> Model:
    """The noun that a file describes.

    value: what to check instead of the file's own value, when a loader has written short forms out.
    filled: fields that a loader fills; they are not known names in the file.
    Types are strict: a number is no text, a text no number. Raises InputError with the place of the first field that is
    wrong, unknown keys with the nearest known one.
    """
    for name in filled:
        if name in parsed.value:
            raise InputError(unknown_key(name, model.model_fields.keys() - set(filled)), parsed.key_place(name))
    value = parsed.value if value is None else value
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as failure:
        error = first_error(failure)
        steps = steps_within(value, error["loc"])
        place = parsed.key_place(*steps) if error["type"] == "extra_forbidden" else parsed.place(*steps)
        raise InputError(sentence(error, model, value, filled), place) from None


MOST_VALUES = 100_000
"""Far more than anybody writes by hand."""


def _parts(node: Node) -> list[Node]:
    """The nodes whose values a node holds."""
    if isinstance(node, MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, SequenceNode) else []


class _Values:
    """Turns nodes into values. A node that is referred to twice (`*name`) becomes one value."""

    def __init__(self, yaml: YAML, file: Path):
        self.yaml = yaml
        self.file = file
        self.built: dict[int, Any] = {}
        self.open: set[int] = set()
        self.size: dict[int, int] = {}
        """Values a node holds when each alias is written out: a few lines of aliases can stand for billions."""

    def of(self, node: Node) -> Any:
        if id(node) in self.open:
            raise self._error("this refers to itself", node)
        if id(node) not in self.built:
            self.open.add(id(node))
            self.built[id(node)] = self._build(node)
            self.open.discard(id(node))
            self.size[id(node)] = 1 + sum(self.size[id(part)] for part in _parts(node))
            if self.size[id(node)] > MOST_VALUES:
                raise self._error(f"with its aliases (`*name`) this holds more than {MOST_VALUES:,} values", node)
        return self.built[id(node)]

    def _build(self, node: Node) -> Any:
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self.of(entry) for entry in node.value]
        if isinstance(node, ScalarNode) and node.tag in _AS_WRITTEN:
            return self._text(node)
        if isinstance(node, ScalarNode) and node.tag in _READ_BY_YAML:
            return self._number(node)
        tag = str(node.tag).removeprefix(_TAG)
        raise self._error(f"the tag `{tag}` is not read: files hold names and values only", node)

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in values:
                raise self._error(f'key "{key}" is here twice: first in line {lines[key]}. Remove one', key_node)
            values[key] = self.of(value_node)
            lines[key] = key_node.start_mark.line + 1
        return values

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self._error("a key must be a text; put a value that begins with `{{` or `[` in quotes", node)
        if node.tag == _TAG + "merge":
            raise self._error("`<<` (merge) is not read: write the fields out", node)
        if node.tag not in _AS_WRITTEN:
            raise self._error(f"key {node.value or '(empty)'} is no text: write it in quotes", node)
        return self._text(node)

    def _text(self, node: ScalarNode) -> str:
        if "\0" in str(node.value):
            raise self._error("this text holds a NUL character, which no file name and no prompt may", node)
        try:
            # Somebody who pastes JSON writes one character beyond 16 bits as two escapes, a pair of surrogates.
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._error("this text holds half of a surrogate pair, which is no character", node) from None

    def _number(self, node: ScalarNode) -> Any:
        try:
            value = self.yaml.constructor.construct_object(node, deep=True)
        except ValueError:
            raise self._error(f"{str(node.value)[:40]} is no number that can be read", node) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(f"{node.value} is not a number that can be kept; expected a finite one", node)
        return value

    def _error(self, message: str, node: Node) -> InputError:
        return InputError(message, Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1))
