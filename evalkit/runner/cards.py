"""Find the card of a judge: by digest alone, wherever it lies."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from evalkit.content.locate import content_folders, find
from evalkit.core.card import CARD_SCHEMA, JudgeCard
from evalkit.core.errors import InputError
from evalkit.core.manifest import BoundJudge
from evalkit.store.schema import read_noun


def cards_of(judges: dict[str, BoundJudge], searched: Iterable[Path] = ()) -> dict[str, tuple[JudgeCard, ...]]:
    """Judge name -> its cards, best first: those in `searched`, else in `cards/` here, else beside the judge.

    A card whose digest is another's says nothing of this judge: a changed prompt, rubric, scale or model voids it.
    Raises InputError for a card in `searched` that cannot be read.
    """
    named = list(searched)
    for path in named:
        if not path.exists():
            raise InputError(f'--cards: there is no file or folder "{path}"')
    cards: dict[str, tuple[JudgeCard, ...]] = {}
    for name, bound in judges.items():
        for paths in (named, list(content_folders("cards")), _beside(name)):
            found = _of_judge(paths, bound.digest)
            if found:
                cards[name] = found
                break
    return cards


def _of_judge(paths: Iterable[Path], judge_digest: str) -> tuple[JudgeCard, ...]:
    """The cards of a judge: those on people's labels before those on constructed ones, then the latest first."""
    files = dict.fromkeys(file for path in paths for file in _files(path) if _may_be_card_of(file, judge_digest))
    cards = [card for card in map(read_card, files) if card.judge_digest == judge_digest]
    return tuple(sorted(cards, key=lambda card: (card.labels.kind == "human", card.made_at), reverse=True))


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


def _may_be_card_of(file: Path, judge_digest: str) -> bool:
    """Whether a JSON file is a card that names this judge; what lies beside it is not even read as one."""
    content = file.read_bytes()
    return b'"evalkit.card/' in content and judge_digest.encode() in content
