"""Refuse a file that holds a key or a password: it would reach the manifest of every run, and whoever reads one.

engine_args: {api_key_env: MY_KEY}                    the variable's name: fine
engine_args: {headers: {X-Team: "${TEAM_TOKEN}"}}     fine
engine_args: {api_key: sk-...}                        refused, and the value is not repeated
"""

import re
from collections.abc import Iterator
from typing import Any

from evalkit.content.parse import Parsed
from evalkit.content.sentences import Step
from evalkit.core.errors import InputError, Place

MEND = 'Put it into an environment variable and name that: `api_key_env: MY_KEY`, or a header as "${MY_KEY}".'

_SECRET_NAME = re.compile(
    r"(apikey|authorization|password|passwd|secret|credentials?|(^|access|auth|bearer|api|hf)token)$"
)
_SECRET_VALUE = re.compile(
    r"\b(sk-[\w-]{16,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.eyJ[\w-]{10,})"
    r"|^(Bearer|Basic) +[^$\s]"
    r"|\w://[^/\s:@]*:[^/\s@]+@"
)
"""Forms that keys are known by; a text that only mentions the word is none of them."""
_NAMES_A_VARIABLE = re.compile(r"(Bearer +)?\$\{\w+\}")


def refuse_secrets(parsed: Parsed) -> None:
    """Raise InputError at the first value that is, or is named like, a secret. The value is never shown."""
    for steps, value in _texts_in(parsed.value, ()):
        name = next((step for step in reversed(steps) if isinstance(step, str)), "")
        if _is_a_secret(name, value):
            raise _refusal(f"`{name}` holds", parsed.place(*steps))


def refuse_secret_text(text: str, place: Place | None = None) -> None:
    """The same for one text, such as an address with a password in it."""
    if _SECRET_VALUE.search(text):
        raise _refusal("this text holds", place)


def _is_a_secret(name: str, value: str) -> bool:
    if not value or _NAMES_A_VARIABLE.fullmatch(value):
        return False
    return bool(_SECRET_NAME.search(re.sub(r"[^a-z]", "", name.lower())) or _SECRET_VALUE.search(value))


def _refusal(subject: str, place: Place | None) -> InputError:
    return InputError(f"{subject} what looks like a key or a password (not shown), and must not. {MEND}", place)


def _texts_in(value: Any, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts_in(part, (*steps, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts_in(part, (*steps, number))
