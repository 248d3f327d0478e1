"""Load a candidate: from YAML, or from one of the short forms.

    candidates/llama-new.yaml                     the file
    llama-new                                     ./candidates/llama-new.yaml
    replay:responses.jsonl#llama2new              recorded answers of one system
    openai:my-model@http://localhost:8000/v1      any OpenAI-compatible server
    vllm:./checkpoints/new                        ENGINE:MODEL, for any engine that is installed
    echo                                          no model: gives the prompt back

A candidate is copied into the manifest of every run, so a file that holds a key is refused: see secrets.py.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from evalkit.content.locate import find, list_content
from evalkit.content.parse import load_yaml, validate
from evalkit.content.secrets import refuse_secret_text, refuse_secrets
from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError, Place, unknown_name
from evalkit.plugins import BUILT_IN, names

FORMS = "a YAML file, a name in candidates/, echo, replay:FILE#SYSTEM, openai:MODEL@URL or ENGINE:MODEL"

_SHORT = re.compile(r"([A-Za-z][\w-]*):(.+)", re.DOTALL)
_URL = re.compile(r"(.+?)@(https?://.+)", re.DOTALL)


def load_candidate(text: str | Path, extra_folders: Iterable[Path] = ()) -> Candidate:
    """The candidate that a short form, a path or a name means.

    Raises InputError for an unknown engine or name, for what is wrong in the YAML file (file:line:column), and for a
    file that holds a secret.
    """
    written = str(text)
    if written == "echo" and written not in list_content("candidates", extra_folders):
        return Candidate(name="echo", engine="echo")
    short = _SHORT.fullmatch(written)
    if short is not None and not Path(written).is_file():
        return _from_short_form(written, *short.groups())
    try:
        return _from_yaml(find("candidates", written, extra_folders))
    except InputError as error:
        if error.place is not None:
            raise
        raise InputError(f"{error.message} A candidate is {FORMS}.") from None


def _from_yaml(file: Path) -> Candidate:
    parsed = load_yaml(file)
    refuse_secrets(parsed)
    candidate = validate(parsed, Candidate)
    check_engine(candidate.engine, parsed.place("engine"))
    return candidate


def _from_short_form(written: str, engine: str, rest: str) -> Candidate:
    refuse_secret_text(written)
    if engine == "replay":
        file, _, system = rest.rpartition("#")
        if not file or not system:
            raise InputError(f'candidate "{written}" does not say whose answers: expected replay:FILE#SYSTEM')
        return Candidate(name=system, engine="replay", model=file, engine_args={"system": system})
    if engine == "openai":
        parts = _URL.fullmatch(rest)
        if parts is None:
            form = "openai:MODEL@URL, such as openai:my-model@http://localhost:8000/v1"
            raise InputError(f'candidate "{written}" does not say where its server is: expected {form}')
        return Candidate(name=parts[1], engine="openai_http", model=parts[1], engine_args={"base_url": parts[2]})
    check_engine(engine, None)
    # A path's last part is what people call a model; an id such as `org/model` is known by its last part too.
    return Candidate(name=rest.rstrip("/").rpartition("/")[2] or rest, engine=engine, model=rest)


def check_engine(engine: str, place: Place | None) -> None:
    """Raise InputError for an engine that is neither built in nor a plugin's."""
    if engine not in BUILT_IN["engines"] and engine not in (known := names("engines")):
        raise unknown_name("engine", engine, known, place, "`evalkit list engines` shows all.")
