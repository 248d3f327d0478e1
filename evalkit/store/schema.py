"""Which documents can be read: every JSON document names its schema and the schema's number, `evalkit.run/1`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from evalkit.core.errors import InputError, Place
from evalkit.core.noun import Noun
from evalkit.store.disk import read_document

N = TypeVar("N", bound=Noun)


def read_noun(file: Path, model: type[N], schema: str, mend: str) -> N:
    """A JSON document as its noun. Raises InputError when it is another document, a newer evalkit's, or edited.

    mend: what to do about a document whose fields are wrong, as a sentence.
    """
    document = read_document(file)
    check_schema(document, schema, Place(file))
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"`{field}`: {first['msg']}. Was it edited? {mend}", Place(file)) from error


def check_schema(document: Mapping[str, Any], known: str, place: Place) -> None:
    """Accept the known schema and all older ones. Raises InputError for another name or a higher number.

    >>> check_schema({"schema": "evalkit.run/1"}, "evalkit.run/1", Place("manifest.json"))
    >>> check_schema({"schema": "evalkit.run/2"}, "evalkit.run/1", Place("manifest.json"))
    Traceback (most recent call last):
    evalkit.core.errors.InputError: manifest.json: its schema is "evalkit.run/2"; this evalkit reads up to
        "evalkit.run/1". Install a newer evalkit.
    """
    found = document.get("schema")
    if not isinstance(found, str):
        raise InputError(f'names no `schema`; expected "{known}". Is it a file of evalkit?', place)
    name, _, number = found.rpartition("/")
    known_name, _, known_number = known.rpartition("/")
    if name != known_name or not number.isdecimal() or int(number) < 1:
        raise InputError(f'its schema is "{found}"; expected "{known}". Is it the right file?', place)
    if int(number) > int(known_number):
        mend = "Install a newer evalkit."
        raise InputError(f'its schema is "{found}"; this evalkit reads up to "{known}". {mend}', place)
