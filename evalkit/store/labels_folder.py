"""A folder that holds labels, verdicts, items and answers under their usual names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from evalkit.core.errors import InputError, Place

ENDINGS = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True)
class LabelsFolder:
    """What a `--data` folder holds; None = not there."""

    path: Path
    human: Path | None
    """Labels: `human.jsonl` or `human.jsonl.gz`; likewise the others."""
    judge: Path | None
    """Recorded verdicts."""
    items: Path | None
    """Columns to slice by."""
    responses: Path | None
    """Recorded answers."""

    @classmethod
    def find(cls, path: Path) -> Self:
        """Look into a folder. Raises InputError when it is none, holds none of the files, or one of them twice."""
        if not path.is_dir():
            raise InputError(
                "is a file; name its folder." if path.exists() else "there is no such folder.", Place(path)
            )
        found = cls(path, *(_file(path, name) for name in ("human", "judge", "items", "responses")))
        if not any((found.human, found.judge, found.items, found.responses)):
            looked_for = "human.jsonl, judge.jsonl, items.jsonl and responses.jsonl (.gz too)"
            raise InputError(f"holds no labels: looked for {looked_for}.", Place(path))
        return found


def _file(folder: Path, name: str) -> Path | None:
    there = [folder / (name + ending) for ending in ENDINGS if (folder / (name + ending)).is_file()]
    if len(there) > 1:
        raise InputError(f"holds {there[0].name} and {there[1].name}. Keep one of them.", Place(folder))
    return there[0] if there else None
