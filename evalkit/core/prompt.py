"""Fill a prompt by name: `{{ input }}`. Data only: no logic, no expressions.

Answer in one word.
{{ input }}
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")


@lru_cache(maxsize=64)
def placeholders(template: str) -> tuple[str, ...]:
    """The names a prompt asks for, in order, each once.

    >>> placeholders("{{ input }} / {{target}} / {{ input }}")
    ('input', 'target')
    """
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(template)))


def check_prompt(template: str, known: Iterable[str]) -> list[str]:
    """The names in a prompt that nothing fills."""
    names = set(known)
    return [name for name in placeholders(template) if name not in names and name.split(".")[0] not in names]


def fill_prompt(template: str, values: Mapping[str, str]) -> str:
    """The prompt with its names filled. What is filled in is never searched again. Raises KeyError for an unknown name.

    >>> fill_prompt("Q: {{ input }}", {"input": "{{ input }}?"})
    'Q: {{ input }}?'
    """
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template)
