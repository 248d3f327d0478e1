"""Find content and data: by path, in the working directory, in plugins, and in what ships with the package.

    find("suites", "support")            ./suites/support/suite.yaml, or a plugin's, or ours
    find("suites", "evals/support")      evals/support/suite.yaml
    find("candidates", "llama-new")      ./candidates/llama-new.yaml

A plugin package that carries content declares, for a folder `my_evals/` that holds `suites/`, `judges/` or `reports/`:

    [project.entry-points."evalkit.content"]
    my_evals = "my_evals"

In a clone the shipped content is the repository's own `suites/`, `judges/`, `reports/`; a wheel carries the same three
folders as `evalkit/_content`. Reading what was found is not done here: see parse.py.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from evalkit.core.errors import InputError, Place, nearest_name, unknown_name

Kind = Literal["suites", "judges", "reports", "candidates", "cards"]

FOLDER_FILE: dict[Kind, str] = {"suites": "suite.yaml", "judges": "judge.yaml", "reports": "report.yaml"}
"""The YAML file in a thing's folder; candidates and cards are single files."""
SUFFIX: dict[Kind, str] = {"candidates": ".yaml", "cards": ".json"}

_PACKAGE = Path(__file__).resolve().parent.parent


def shown(path: Path | str) -> Path:
    """A path as people should read it: relative to the working directory when it lies under it, otherwise as given."""
    path = Path(path)
    working_directory = Path.cwd()
    if path.is_absolute() and path.is_relative_to(working_directory):
        return path.relative_to(working_directory)
    return path


def shipped_folder(kind: Kind) -> Path:
    """Where our own content of a kind lies: the clone's folder, or the wheel's copy."""
    clone = _PACKAGE.parent
    root = clone if (clone / "pyproject.toml").is_file() else _PACKAGE / "_content"
    return root / kind


def content_folders(kind: Kind, extra_folders: Iterable[Path] = ()) -> Iterator[Path]:
    """The folders that are searched for a kind, nearest first; only those that exist."""
    folders = (*extra_folders, Path(kind), *_plugin_folders(kind), shipped_folder(kind))
    seen: set[Path] = set()
    for folder in folders:
        if folder.is_dir() and folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield folder


def list_content(kind: Kind, extra_folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Name -> file of everything of a kind, sorted; the nearest folder wins where a name is there twice."""
    found: dict[str, Path] = {}
    for folder in content_folders(kind, extra_folders):
        for name, file in _things_in(kind, folder):
            found.setdefault(name, file)
    return dict(sorted(found.items()))


def find(kind: Kind, name_or_path: str | Path, extra_folders: Iterable[Path] = (), place: Place | None = None) -> Path:
    """The file of one thing. A path wins over a name; `extra_folders` are searched before the working directory.

    place: where the name was written, for the error.
    Raises InputError with the nearest known name, or saying that a path does not exist.
    """
    text = str(name_or_path)
    path = Path(text)
    if path.is_file() and _looks_like_a_path(text):
        return path
    if kind in FOLDER_FILE and (path / FOLDER_FILE[kind]).is_file():
        return path / FOLDER_FILE[kind]
    known = list_content(kind, extra_folders)
    if text in known:
        return known[text]
    if _looks_like_a_path(text) and not (kind == "cards" and "/" in text):
        raise _no_such_path(kind, text, known, place)
    raise unknown_name(kind[:-1], text, known, place, f"`evalkit list {kind}` shows all.")


def find_data(name: str, beside: Path, data_folders: Iterable[Path] = (), place: Place | None = None) -> Path:
    """A data file: an absolute path, beside the YAML that names it, or in one of the `--data` folders, in that order.

    Raises InputError that names the folders that were searched, and the nearest file there.
    """
    searched = [beside, *data_folders]
    for folder in searched:
        if (folder / name).is_file():
            return folder / name
    near = _nearest_file(name, searched)
    guess = f' Did you mean "{near}"?' if near else ""
    where = " or in ".join(f'"{shown(folder)}"' for folder in searched)
    raise InputError(
        f'data file "{name}" is not in {where}.{guess} Put it there, or name its folder with `--data FOLDER`.', place
    )


def _plugin_folders(kind: Kind) -> Iterator[Path]:
    for entry in sorted(entry_points(group="evalkit.content"), key=lambda entry: entry.name):
        try:
            spec = find_spec(entry.value)
        except ImportError as error:
            message = f'content plugin "{entry.name}" is declared as {entry.value}, which is not there: {error}'
            raise InputError(message) from error
        for folder in (spec and spec.submodule_search_locations) or ():
            yield Path(folder) / kind


def _things_in(kind: Kind, folder: Path) -> Iterator[tuple[str, Path]]:
    if kind in FOLDER_FILE:
        for file in folder.glob(f"*/{FOLDER_FILE[kind]}"):
            yield file.parent.name, file
    elif kind == "candidates":
        for file in folder.glob("*.yaml"):
            yield file.stem, file
    else:
        for file in folder.glob("*/*.json"):
            yield f"{file.parent.name}/{file.stem}", file


def _looks_like_a_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.endswith((".yaml", ".yml", ".json"))


def _no_such_path(kind: Kind, text: str, known: Iterable[str], place: Place | None) -> InputError:
    path = Path(text)
    if path.is_dir():
        return InputError(f'folder "{text}" holds no {FOLDER_FILE.get(kind, "*" + SUFFIX.get(kind, ""))}', place)
    name = path.parent.name if path.name == FOLDER_FILE.get(kind) else path.stem
    near = nearest_name(name, known)
    guess = f' Did you mean the {kind[:-1]} "{near}"?' if near else ""
    return InputError(f'there is no file or folder "{text}".{guess} `evalkit list {kind}` shows all.', place)


def _nearest_file(name: str, folders: Iterable[Path]) -> str | None:
    """The file that was probably meant: one with a similar name in the same folder."""
    relative = Path(name).parent
    there = [str(relative / file.name) for folder in folders for file in _files_in(folder / relative)]
    return nearest_name(name, there)


def _files_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
