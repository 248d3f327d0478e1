"""Say in one sentence what is wrong with a field.

pydantic finds what does not fit a noun; here that becomes a sentence with the value, what was expected, and the mend:

    `kind` is "qualty"; expected one of: quality, safety, cost, latency. Did you mean "quality"?
"""

import json
import re
from collections.abc import Collection, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evalkit.core.errors import nearest_name

Step = str | int

_EXPECTED = {
    "string_type": "text",
    "string_unicode": "text in whole characters (half of a surrogate pair stands in it)",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping (`name: value` lines)",
    "model_type": "a mapping (`name: value` lines)",
    "date_type": "a day as YYYY-MM-DD",
    "date_parsing": "a day as YYYY-MM-DD",
    "date_from_datetime_parsing": "a day as YYYY-MM-DD",
    "date_from_datetime_inexact": "a day as YYYY-MM-DD",
}
_BOUND = {
    "greater_than_equal": ("ge", "a number of at least"),
    "greater_than": ("gt", "a number above"),
    "less_than_equal": ("le", "a number of at most"),
    "less_than": ("lt", "a number below"),
}


def first_error(failure: ValidationError) -> ErrorDetails:
    """The error to tell a person about: one, the cause rather than what follows from it."""
    errors = failure.errors(include_url=False)
    causes = [error for error in errors if not any(_lies_within(other["loc"], error["loc"]) for other in errors)]
    # An unknown key goes first: a key that is missing is often the other half of the same slip. A list where one
    # text or a list of texts is allowed goes last: what is wrong is then inside the list.
    return min(causes, key=lambda error: (error["type"] != "extra_forbidden", _is_a_list_for_text(error)))


def sentence(error: ErrorDetails, model: type[BaseModel], value: Any, filled: Collection[str] = ()) -> str:
    """What is wrong with one field of `value`, which should have been a `model`.

    filled: fields that a loader fills, which are not offered as known names.

    >>> from evalkit.core.scale import Scale
    >>> try: Scale.model_validate_json('{"kind": "ordinl"}', strict=True)
    ... except ValidationError as failure: print(sentence(first_error(failure), Scale, {"kind": "ordinl"}))
    `kind` is "ordinl"; expected one of: binary, nominal, ordinal, interval, preference. Did you mean "ordinal"?
    """
    kind, steps = error["type"], steps_within(value, error["loc"])
    if kind == "extra_forbidden":
        return unknown_key(str(steps[-1]), fields_at(model, steps[:-1]).keys() - set(filled))
    if kind == "missing":
        return _missing(str(steps[-1]), model, steps)
    name = _field_name(steps)
    subject = f"`{name}` is {said(error['input'])}" if name else f"{said(error['input'])} stands here"
    if kind == "literal_error":
        return f"{subject}; {_one_of(str(error['ctx']['expected']), error['input'])}"
    if kind in _EXPECTED:
        return f"{subject}; expected {_EXPECTED[kind]}.{_quotes_mend(kind, error['input'])}"
    if kind in _BOUND:
        bound, words = _BOUND[kind]
        return f"{subject}; expected {words} {error['ctx'][bound]:g}."
    if kind == "too_short":
        return f"`{name}` is empty; expected at least {error['ctx']['min_length']} entry."
    message = str(error["ctx"]["error"]) if kind == "value_error" else error["msg"]
    return f"`{name}`: {message}." if name else f"{message}."


def unknown_key(name: str, known: Collection[str]) -> str:
    """The sentence for a key that nothing reads.

    >>> unknown_key("promt", ["prompt", "data"])
    'key "promt" is not known here. Did you mean "prompt"? Known: data, prompt.'
    """
    near = nearest_name(name, sorted(known))
    guess = f' Did you mean "{near}"?' if near else ""
    return f'key "{name}" is not known here.{guess} Known: {", ".join(sorted(known))}.'


def said(value: Any) -> str:
    """A value as it is put into a sentence; long texts are cut.

    >>> said("x"), said(True), said(None), said([1])
    ('"x"', 'true', 'empty', 'a list')
    """
    if value is None:
        return "empty"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair cannot be printed
    return text if len(text) <= 60 else text[:57] + '..."'


def steps_within(value: Any, location: Sequence[Step]) -> tuple[Step, ...]:
    """A pydantic location without the steps that are in no data (members of a union); a missing last key is kept."""
    steps: list[Step] = []
    for place, step in enumerate(location):
        in_mapping = isinstance(value, dict) and step in value
        in_list = isinstance(value, list | tuple) and isinstance(step, int) and step < len(value)
        if in_mapping or in_list:
            steps.append(step)
            value = value[step]
        elif isinstance(value, dict) and place == len(location) - 1:
            steps.append(step)
    return tuple(steps)


def fields_at(model: type[BaseModel], steps: Sequence[Step]) -> dict[str, str]:
    """Field -> its documentation, of the model that stands at `steps` within `model`."""
    for step in steps:
        if isinstance(step, str) and step in model.model_fields:
            inner = _models_in(model.model_fields[step].annotation)
            model = inner[0] if inner else model
    return {name: field.description or "" for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _missing(name: str, model: type[BaseModel], steps: Sequence[Step]) -> str:
    meaning = fields_at(model, steps[:-1]).get(name, "").split("\n")[0]
    return f"`{name}` is missing here" + (f": {meaning}" if meaning else ".")


def _one_of(expected: str, value: Any) -> str:
    allowed = re.findall(r"'([^']*)'", expected)
    near = nearest_name(value, allowed) if isinstance(value, str) else None
    guess = f' Did you mean "{near}"?' if near else ""
    return f"expected one of: {', '.join(allowed)}.{guess}"


def _quotes_mend(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f' Write it in quotes: "{said(value)}".'
    if kind in ("int_type", "float_type") and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return f" Write it without quotes: {value}."
    return ""


def _field_name(steps: Sequence[Step]) -> str:
    """The last named field, with what follows it: `slices[0][1]`."""
    name = ""
    for step in reversed(steps):
        if isinstance(step, str):
            return step + name
        name = f"[{step}]{name}"
    return name


def _lies_within(inner: Sequence[Step], outer: Sequence[Step]) -> bool:
    return len(inner) > len(outer) and tuple(inner[: len(outer)]) == tuple(outer)


def _is_a_list_for_text(error: ErrorDetails) -> bool:
    return error["type"] == "string_type" and isinstance(error["input"], list)
