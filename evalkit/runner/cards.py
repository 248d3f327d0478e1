"""Find the card of a judge: by digest alone, wherever it lies."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from evalkit.content.locate import content_folders, find
from evalkit.core.card import CARD_SCHEMA, JudgeCard
from evalkit.core.errors import InputError
from evalkit.core.manifest import BoundJudge
from evalkit.store.schema import read_noun


def cards_of(judges: dict[str, BoundJudge], searched: Iterable[Path] = ()) -> dict[str, JudgeCard]:
    """Judge name -> its card: the latest in `searched` (files, folders), else in `cards/` here, else beside the judge.

    A card whose digest is another's says nothing of this judge: a changed prompt, rubric, scale or model voids it.
    Raises InputError for a card in `searched` that cannot be read.
    """
    named = list(searched)
    for path in named:
        if not path.exists():
            raise InputError(f'--cards: there is no file or folder "{path}"')
    cards: dict[str, JudgeCard] = {}
    for name, bound in judges.items():
        for paths in (named, list(content_folders("cards")), _beside(name)):
            card = _latest(paths, bound.digest)
            if card is not None:
                cards[name] = card
                break
    return cards


def _latest(paths: Iterable[Path], judge_digest: str) -> JudgeCard | None:
    """The latest card of a judge; one on people's labels goes before one on constructed ones."""
    files = dict.fromkeys(file for path in paths for file in _files(path) if _is_card_of(file, judge_digest))
    cards = [read_card(file) for file in files]
    return max(cards, key=lambda card: (card.labels.kind == "human", card.made_at), default=None)


def read_card(file: Path) -> JudgeCard:
    """Read one card. Raises InputError when it is no card, or a newer evalkit's."""
    return read_noun(file, JudgeCard, CARD_SCHEMA, "Calibrate again.")


def _files(path: Path) -> Iterator[Path]:
    return iter([path]) if path.is_file() else (file for file in sorted(path.rglob("*.json")) if file.is_file())


def _beside(judge: str) -> list[Path]:
    try:
        return [find("judges", judge).parent]
    except InputError:  # the run names a judge whose folder is not here any more
        return []


def _is_card_of(file: Path, judge_digest: str) -> bool:
    """Whether a JSON file speaks of this judge; what lies beside it, other cards too, is not even read as one."""
    return judge_digest.encode() in file.read_bytes()
