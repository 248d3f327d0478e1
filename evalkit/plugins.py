"""Find engines and scorers by name: built-ins from a literal table, everybody else's by entry point.

A plugin package declares, for example:

    [project.entry-points."evalkit.scorers"]
    bleu = "my_package.bleu:Bleu"

A class is imported when it is asked for, so that `evalkit --help` imports none of them.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Literal

from evalkit.core.errors import InputError, Place, unknown_name

Group = Literal["engines", "scorers"]

BUILT_IN: dict[Group, dict[str, str]] = {
    "engines": {
        "echo": "evalkit.engines.echo:EchoEngine",
        "openai_http": "evalkit.engines.openai_http:OpenAIHttpEngine",
        "replay": "evalkit.engines.replay:ReplayEngine",
        "transformers": "evalkit.engines.transformers:TransformersEngine",
        "vllm": "evalkit.engines.vllm:VllmEngine",
    },
    "scorers": {
        "exact": "evalkit.scorers.text:Exact",
        "includes": "evalkit.scorers.text:Includes",
        "pattern": "evalkit.scorers.text:Pattern",
        "number": "evalkit.scorers.number:Number",
        "choice": "evalkit.scorers.choice:Choice",
        "label_share": "evalkit.scorers.label_share:LabelShare",
        "output_tokens": "evalkit.scorers.usage:OutputTokens",
        "cost": "evalkit.scorers.usage:Cost",
        "labels": "evalkit.scorers.recorded:RecordedLabels",
    },
}


def names(group: Group) -> tuple[str, ...]:
    """All known names of a group, sorted."""
    return tuple(sorted({*BUILT_IN[group], *(entry.name for entry in entry_points(group=f"evalkit.{group}"))}))


def load(group: Group, name: str, place: Place | None = None) -> Any:
    """The class behind a name. Raises InputError for an unknown name, or a plugin that cannot be imported."""
    target = BUILT_IN[group].get(name)
    if target is None:
        target = next((entry.value for entry in entry_points(group=f"evalkit.{group}") if entry.name == name), None)
    if target is None:
        raise unknown_name(group[:-1], name, names(group), place, f"`evalkit list {group}` shows all.")
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f'{group[:-1]} "{name}" is declared as {target}, which cannot be imported: {error}', place
        ) from error
