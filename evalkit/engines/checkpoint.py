"""The model on disk: where it is, and what it is made of.

    model: checkpoints/new          ->  a folder here, or in a data folder
    model: org/name, revision: ...  ->  a model of the Hugging Face hub

What a model is made of is said in digests of its weights, tokenizer, chat template, adapter and configuration. They are
its identity: the same files in another folder are the same model, one changed byte makes another. Neither torch nor an
inference engine is needed to say it.
"""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError, Place
from evalkit.engines.weights import check_whole, digest_of_files, digest_of_text, weight_files

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")

_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tekken.json", "*.model", "*.tiktoken",
)  # fmt: skip
_CONFIG_FILES = ("config.json", "generation_config.json", "quantize_config.json", "hf_quant_config.json", "*.py")
"""What decides how the weights are used; *.py is code of a model that is opened with trust_remote_code."""


@dataclass(frozen=True)
class Checkpoint:
    """A model that was found, or the name of one on the hub."""

    name: str
    """As the candidate names it."""
    folder: Path | None
    """None = a hub id."""
    commit: str | None = None
    """Of a hub id: the commit it stands for."""

    @property
    def load_name(self) -> str:
        """What an engine is told to load."""
        return self.name if self.folder is None else str(self.folder)


def find_checkpoint(candidate: Candidate, data_folders: tuple[Path, ...]) -> Checkpoint:
    """The candidate's model. Raises InputError for a folder that is not there or holds no model, for pickled weights,
    and for a hub id that does not say which revision.
    """
    if not candidate.model:
        raise InputError(f'candidate "{candidate.name}" names no `model`: a folder, or org/name of the hub')
    folder = find_folder(candidate.model, data_folders)
    if folder is None and _HUB_ID.fullmatch(candidate.model):
        return Checkpoint(candidate.model, None, _hub_commit(candidate, data_folders))
    if folder is None:
        raise InputError(
            f'candidate "{candidate.name}": there is no model folder "{candidate.model}"'
            f"{_looked(candidate.model, data_folders)}. Mend `model`, or name its folder with --data."
        )
    if not (folder / "config.json").is_file():
        raise InputError("the folder holds no config.json, so it is no model. Name one that does.", Place(folder))
    if candidate.engine_args.get("load_format") != "dummy":
        weight_files(folder)
    return Checkpoint(candidate.model, folder)


def find_folder(name: str, data_folders: tuple[Path, ...]) -> Path | None:
    """The folder as given, relative to the working directory, then to each data folder."""
    given = Path(name).expanduser()
    return next((path for path in (given, *(data / given for data in data_folders)) if path.is_dir()), None)


def find_adapter(candidate: Candidate, name: str, data_folders: tuple[Path, ...]) -> Path:
    """A LoRA adapter's folder. Raises InputError for one that is not there, or is no adapter in safetensors."""
    folder = find_folder(name, data_folders)
    if folder is None:
        raise InputError(
            f'candidate "{candidate.name}": there is no adapter folder "{name}"{_looked(name, data_folders)}. '
            "Mend engine_args.lora."
        )
    if not (folder / "adapter_config.json").is_file():
        raise InputError("the folder holds no adapter_config.json, so it is no LoRA adapter", Place(folder))
    weight_files(folder)
    return folder


def find_template(candidate: Candidate, name: str, data_folders: tuple[Path, ...]) -> str:
    """The text of a chat template's file. Raises InputError when there is no such file."""
    given = Path(name).expanduser()
    for path in (given, *(folder / given for folder in data_folders)):
        if path.is_file():
            return _template_text(path)
    raise InputError(
        f'candidate "{candidate.name}": there is no chat template "{name}"{_looked(name, data_folders)}. '
        "Mend engine_args.chat_template."
    )


def _template_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"a chat template is UTF-8 text, and byte {error.start} is not", Place(path)) from None


def folder_template(folder: Path) -> str | None:
    """The chat template that lies with a tokenizer; None = it has none. Several named ones come as their JSON."""
    own = folder / "chat_template.jinja"
    if own.is_file():
        return _template_text(own)
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    template = config.get("chat_template") if isinstance(config, dict) else None
    if template is None or isinstance(template, str):
        return template
    return json.dumps(template, sort_keys=True)


def check_weights(folder: Path) -> None:
    """Raise InputError for the first weights file that is torn."""
    for file in sorted(folder.glob("*.safetensors")):
        check_whole(file)


def served_by(
    checkpoint: Checkpoint, *, tokenizer: Path | None = None, chat_template: str | None = None, lora: Path | None = None
) -> dict[str, str]:
    """What is known of the model, as digests; for a hub id its commit. Where an adapter, a tokenizer or a template is
    given, its digest stands under the argument's name, and the path in that argument is no part of an identity.

    tokenizer: a folder to take it from instead of the model's own. chat_template: the text to use instead of its own.
    """
    served = {}
    folder = checkpoint.folder
    if folder is None:
        served["commit"] = checkpoint.commit or ""
    else:
        served["weights"] = digest_of_files(folder.glob("*.safetensors"))
        served["config"] = digest_of_files(_matching(folder, _CONFIG_FILES))
    tokenizer = tokenizer or folder
    if tokenizer is not None:
        served["tokenizer"] = digest_of_files(_matching(tokenizer, _TOKENIZER_FILES))
        chat_template = chat_template if chat_template is not None else folder_template(tokenizer)
    if chat_template is not None:
        served["chat_template"] = digest_of_text(chat_template)
    if lora is not None:
        served["lora"] = digest_of_files([*lora.glob("*.safetensors"), lora / "adapter_config.json"])
    return served


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]


def _hub_commit(candidate: Candidate, data_folders: tuple[Path, ...]) -> str:
    """The commit a hub id stands for: the pinned one, else that of the copy on this machine."""
    revision = candidate.revision
    if revision is not None and _COMMIT.fullmatch(revision):
        return revision
    reference = _hub_cache() / f"models--{candidate.model.replace('/', '--')}" / "refs" / (revision or "main")
    try:
        return reference.read_text(encoding="utf-8").strip()
    except OSError:
        pass
    pinned = f"revision {revision} may move" if revision else "it does not say which revision"
    raise InputError(
        f'candidate "{candidate.name}": "{candidate.model}" is no folder{_looked(candidate.model, data_folders)}, and '
        f"as a model of the hub {pinned}, so nothing says what would answer. Mend `model`, or set `revision` to a "
        "commit (40 hex digits)."
    )


def _hub_cache() -> Path:
    """Where huggingface_hub keeps its copies."""
    cache = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if cache:
        return Path(cache).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return Path(home).expanduser() / "hub"


def _looked(name: str, data_folders: tuple[Path, ...]) -> str:
    if Path(name).expanduser().is_absolute():
        return ""
    return f" (looked in {', '.join(str(folder) for folder in (Path.cwd(), *data_folders))})"
