"""Keep keys and header values out of everything that is kept or shown.

>>> Secrets(["sk-1234567890"]).hide("Incorrect API key provided: sk-1234567890")
'Incorrect API key provided: [hidden]'
"""

import re
from collections.abc import Iterable
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
        whole = {value for value in values if value}
        keys = {part for value in whole for part in (value, *value.split()) if len(part) >= KEY_LENGTH}
        self._all = _any_of(whole | keys)
        # A server may repeat a key cut short, at either end: "sk-abcdefgh...".
        parts = {part for key in keys for part in (*_beginnings(key), *_beginnings(key[::-1], turned=True))}
        self._parts = _any_of(parts)
        self._keys = _any_of(keys | parts)

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
        if self._keys is None:
            return answer
        if isinstance(answer, str):
            return self._keys.sub(HIDDEN, answer)
        if isinstance(answer, list | tuple):
            return type(answer)(self.hide_keys(part) for part in answer)
        if isinstance(answer, dict):
            return {self.hide_keys(name): self.hide_keys(part) for name, part in answer.items()}
        return answer


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
