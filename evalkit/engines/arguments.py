"""Read a candidate's `engine_args` into the noun that an engine declares for them.

    engine_args: {base_url: http://localhost:8000/v1, concurency: 8}
    -> candidate "new": engine argument "concurency" is not known. Did you mean "concurrency"?

What an argument is for stands under it, in the noun, and is repeated in the error when its value is wrong.
"""

from typing import Any, TypeVar

from pydantic import ValidationError

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError, unknown_name
from evalkit.core.noun import Noun

Arguments = TypeVar("Arguments", bound=Noun)


def read_arguments(candidate: Candidate, kind: type[Arguments]) -> Arguments:
    """The engine arguments as `kind`.

    Raises InputError for an unknown name (with the nearest known one), a missing or a wrong value. A value that a
    check of `kind` itself refuses, or what should be a table, is never repeated: it may be a secret in the wrong place.
    """
    for name in candidate.engine_args:
        if name not in kind.model_fields:
            raise unknown_name(f'candidate "{candidate.name}": engine argument', name, kind.model_fields)
    try:
        return kind.model_validate(candidate.engine_args)
    except ValidationError as error:
        problem: dict[str, Any] = dict(error.errors()[0])
    # Outside `except`: the validation error repeats its input, and would travel along as this one's context.
    raise InputError(f'candidate "{candidate.name}": {_described(problem, kind)}')


def _described(problem: dict[str, Any], kind: type[Noun]) -> str:
    """One sentence for one of pydantic's problems, ending in what the argument is for."""
    name = str(problem["loc"][0]) if problem["loc"] else ""
    purpose = kind.model_fields[name].description if name in kind.model_fields else None
    expected = f" Expected: {purpose}" if purpose else ""
    if problem["type"] == "value_error":
        return f"engine_args.{name}: {problem['ctx']['error']}.{expected}"
    if problem["type"] == "missing":
        return f"engine_args.{name} is missing.{expected}"
    within_headers_or_the_like = problem["type"] == "dict_type" or len(problem["loc"]) > 1
    shown = "" if within_headers_or_the_like else f" is {problem['input']!r}"
    return f"engine_args.{name}{shown}: {problem['msg']}.{expected}"
