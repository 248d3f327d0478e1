"""Keep keys and header values out of everything that is kept or shown.

>>> Secrets(["sk-1234567890"]).hide("Incorrect API key provided: sk-1234567890")
'Incorrect API key provided: [hidden]'
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

HIDDEN = "[hidden]"

KEY_LENGTH = 8
"""No key is shorter. Shorter header values ("eu", "team-a") are hidden in errors, but in answers they are words."""

MESSAGE_LENGTH = 300
"""As much of a server's message as a person still reads."""

_MASKED = re.compile(r"\S*\*{2,}\S*")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")


class Secrets:
    """The values that must not be repeated."""

    def __init__(self, values: Iterable[str]):
        self._whole = {value for value in values if value}
        self._keys = {part for value in self._whole for part in (value, *value.split()) if len(part) >= KEY_LENGTH}
        # Whatever holds a key, whole or cut short at either end, holds the first or the last letters of it: a few
        # substring searches tell, where a pattern of all parts costs more than the rest of reading an answer.
        self._traces = tuple({end for key in self._keys for end in (key[:KEY_LENGTH], key[-KEY_LENGTH:])})

    def hide(self, message: str) -> str:
        """A server's or a library's message, safe to keep: secrets hidden, on one line, shortened.

        Servers repeat a refused key in part (`sk-ab**yz`): words with asterisks are hidden too.
        """
        safe = message if self._all is None else self._all.sub(HIDDEN, message)
        safe = safe if self._parts is None else self._parts.sub(HIDDEN, safe)
        safe = _MASKED.sub(HIDDEN, _BEARER.sub(HIDDEN, safe))
        line = " ".join(safe.split())
        return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 3] + "..."

    def hide_keys(self, answer: Any) -> Any:
        """An answer (texts within lists and dicts) with keys hidden; whatever is no key stays as the model wrote it."""
        if not answer or not self._traces:
            return answer
        if isinstance(answer, str):
            return self._hide_in(answer)
        if isinstance(answer, list | tuple):
            return type(answer)(self.hide_keys(part) for part in answer)
        if isinstance(answer, dict):
            return {self.hide_keys(name): self.hide_keys(part) for name, part in answer.items()}
        return answer

    def _hide_in(self, text: str) -> str:
        for trace in self._traces:
            if trace in text:
                assert self._keys_and_parts is not None
                return self._keys_and_parts.sub(HIDDEN, text)
        return text

    # Patterns of hundreds of alternatives, made when a text first needs them: most runs never do.

    @cached_property
    def _all(self) -> re.Pattern[str] | None:
        return _any_of(self._whole | self._keys)

    @cached_property
    def _parts(self) -> re.Pattern[str] | None:
        return _any_of(self._cut_short())

    @cached_property
    def _keys_and_parts(self) -> re.Pattern[str] | None:
        return _any_of(self._keys | self._cut_short())

    def _cut_short(self) -> set[str]:
        """A server may repeat a key cut short, at either end: "sk-abcdefgh..."."""
        return {part for key in self._keys for part in (*_beginnings(key), *_beginnings(key[::-1], turned=True))}


def _beginnings(key: str, *, turned: bool = False) -> list[str]:
    """The parts of a key from one end that are long enough to be no word; `turned` gives them back the right way round.

    >>> _beginnings("abcdefghij")
    ['abcdefgh', 'abcdefghi']
    """
    parts = [] if any(map(str.isspace, key)) else [key[:length] for length in range(KEY_LENGTH, len(key))]
    return [part[::-1] for part in parts] if turned else parts


def _any_of(values: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for any of the values, the longest first, so that no end of one is left standing."""
    ordered = sorted(values, key=len, reverse=True)
    return re.compile("|".join(re.escape(value) for value in ordered)) if ordered else None
