"""Load a judge: its YAML with prompt and rubric as text, its scale, and where its recorded verdicts lie.

scale: ordinal:none<partial<full      ->  scale: {kind: ordinal, labels: [none, partial, full]}
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.content.candidates import check_engine
from evalkit.content.locate import find, find_data
from evalkit.content.parse import Parsed, load_yaml, validate
from evalkit.content.prompts import check_placeholders, read_prompt, read_rubric
from evalkit.content.secrets import refuse_secrets
from evalkit.content.sentences import first_error, sentence
from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError, Place
from evalkit.core.judge import JudgeSpec
from evalkit.core.prompt import placeholders
from evalkit.core.scale import Scale

PROMPT_NAMES = ("input", "response", "target", "rubric", "criterion", "labels", "language")
"""What a judge's prompt may ask for."""


@dataclass(frozen=True)
class LoadedJudge:
    """A judge with what is known of its files."""

    spec: JudgeSpec
    folder: Path
    places: Parsed
    verdict_file: Path | None
    """Where a recorded judge's verdicts lie; None for a judge that asks a model."""

    @property
    def candidate(self) -> Candidate | None:
        """The model that it names itself. What lies beside its YAML is meant, whatever else goes by that name."""
        own = self.spec.candidate
        if own is None or not (self.folder / own.model).exists() or not own.model:
            return own
        return own.model_copy(update={"model": str(self.folder / own.model)})


def load_judge(
    name_or_path: str | Path,
    data_folders: Iterable[Path] = (),
    extra_folders: Iterable[Path] = (),
    place: Place | None = None,
) -> LoadedJudge:
    """Find and read a judge. Raises InputError, with file:line:column, for everything that is wrong in its files.

    place: where the judge is named (a task's scorer), for the error when there is none of that name.
    """
    file = find("judges", name_or_path, extra_folders, place)
    parsed, folder = load_yaml(file), file.parent
    refuse_secrets(parsed)  # a judge that names its model is copied into manifests, as candidates are
    spec = validate(parsed, JudgeSpec, _in_full(parsed, folder))
    if spec.candidate is not None:
        check_engine(spec.candidate.engine, parsed.place("candidate", "engine"))
    verdicts = None
    if spec.recorded is not None:
        verdicts = find_data(spec.recorded.file, folder, data_folders, parsed.place("recorded", "file"))
    return LoadedJudge(spec, folder, parsed, verdicts)


def _in_full(parsed: Parsed, folder: Path) -> dict[str, Any]:
    """The file's value with short forms written out. What has the wrong shape is left for `validate` to refuse."""
    full = dict(parsed.value)
    if isinstance(full.get("prompt"), str):
        full["prompt"] = _prompt(parsed, full["prompt"], folder)
    if isinstance(full.get("rubric"), str):
        full["rubric"] = read_rubric(parsed, ("rubric",), full["rubric"], folder)
    if isinstance(full.get("scale"), str):
        full["scale"] = _scale(parsed, full["scale"])
    return full


def _prompt(parsed: Parsed, written: str, folder: Path) -> str:
    prompt = read_prompt(parsed, ("prompt",), written, folder)
    check_placeholders(prompt, PROMPT_NAMES)
    if "response" not in placeholders(prompt.text):
        raise InputError("the prompt never shows what is judged: put {{ response }} in it", parsed.place("prompt"))
    return prompt.text


def _scale(parsed: Parsed, written: str) -> dict[str, Any]:
    try:
        return Scale.parse(written).model_dump(mode="json")
    except ValidationError as failure:
        raise InputError(sentence(first_error(failure), Scale, {}), parsed.place("scale")) from None
    except ValueError as error:
        raise InputError(str(error), parsed.place("scale")) from None
