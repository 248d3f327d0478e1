"""Read the text of a prompt, and check that everything it asks for can be filled.

A prompt is a file beside the YAML that names it; a text of several lines, or one with `{{`, is the prompt itself.

    prompt: prompts/answer.txt
    prompt: "Answer in one word: {{ input }}"
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from evalkit.content.locate import shown
from evalkit.content.parse import Parsed, read_text
from evalkit.content.sentences import Step
from evalkit.content.syntax import place_of_index
from evalkit.core.errors import InputError, Place, unknown_name

_BRACES = re.compile(r"\{\{\s*([A-Za-z_][^{}\n]*?)\s*\}\}")
"""What looks like a name to fill; braces round anything else (JSON, formulas) are text."""


@dataclass(frozen=True)
class PromptText:
    """A text and where it was read, so that a place inside it can be named."""

    text: str
    place_of: Callable[[str], Place]
    """Where a part of the text first stands."""


def read_prompt(parsed: Parsed, steps: tuple[Step, ...], written: str, folder: Path) -> PromptText:
    """The text that a `prompt:` means. Raises InputError, with the place of the name, when there is no such file."""
    if "\n" in written or "{{" in written:
        return PromptText(written.removesuffix("\n"), lambda part: parsed.place_of_text(part, *steps))
    return _from_file(folder / written, parsed.place(*steps))


def read_rubric(parsed: Parsed, steps: tuple[Step, ...], written: str, folder: Path) -> str:
    """The text that a `rubric:` means: a file's when it ends in .md or .txt, otherwise the text itself."""
    if "\n" in written or not written.endswith((".md", ".txt")):
        return written.removesuffix("\n")
    return _from_file(folder / written, parsed.place(*steps)).text


def check_placeholders(prompt: PromptText, known: Collection[str], families: Collection[str] = ()) -> None:
    """Raise InputError at the first name in a prompt that nothing fills.

    families: first parts of dotted names that are filled from the sample: `metadata` allows `metadata.topic`.
    """
    for match in _BRACES.finditer(prompt.text):
        name = match.group(1)
        family, _, rest = name.partition(".")
        if name in known or (family in families and re.fullmatch(r"[\w.]*\w", rest)):
            continue
        place = prompt.place_of(match.group(0))
        if not re.fullmatch(r"[\w.]+", name):
            mend = "A prompt is filled by name alone, such as {{ input }}; there is no logic."
            raise InputError(f'"{name}" in a prompt is not a name. {mend}', place)
        raise unknown_name("prompt name", name, [*known, *(f"{family}.NAME" for family in families)], place)


def _from_file(path: Path, place: Place) -> PromptText:
    whole = read_text(path, place)
    # An editor ends the last line with a newline; the model is not sent one that nobody wrote on purpose.
    text = whole.removesuffix("\n")
    if not text.strip():
        raise InputError("the file is empty; expected a text", Place(shown(path)))
    return PromptText(text, lambda part: place_of_index(shown(path), whole, whole.index(part)))
