"""Hold a run against asked.py's rule: every sample scored right once, every file whole."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from benchmarks.asked import EXACT, VERDICT, said, verdict_on


def wrong_scores(run: Path, n: int, *, judged: bool) -> Counter[str]:
    """What is wrong with the scores of a run of n samples, counted.

    lost: a sample without a value or label by a scorer. miscounted: with another than the rule says. twice: scored
    more than once.
    """
    found: dict[tuple[str, str], Any] = {}
    wrong: Counter[str] = Counter(lost=0, miscounted=0, twice=0)
    with (run / "scores.jsonl").open("rb") as lines:
        for score in map(orjson.loads, lines):
            key = (score["scorer"], score["key"]["sample_id"])
            wrong["twice"] += key in found
            found[key] = score.get("value", score.get("label"))
    for number in range(n):
        for scorer in (EXACT, VERDICT) if judged else (EXACT,):
            value = found.pop((scorer, str(number)), None)
            wrong["lost"] += value is None
            wrong["miscounted"] += value is not None and value != _right(scorer, number)
    wrong["miscounted"] += len(found)  # of samples that the suite does not have
    return wrong


def _right(scorer: str, number: int) -> float | str:
    return verdict_on(said(number)) if scorer == VERDICT else float(said(number) == str(number))


def broken_files(run: Path) -> list[str]:
    """Files of a run that do not end with a whole line, hold a line or document that is no JSON, or were left over."""
    broken = [str(path) for path in run.rglob("*.part")]
    for path in (*run.rglob("*.jsonl"), *run.glob("*.json")):
        content = path.read_bytes()
        try:
            for text in content.splitlines() if path.suffix == ".jsonl" else [content]:
                orjson.loads(text)
        except orjson.JSONDecodeError:
            broken.append(str(path))
        else:
            if content and not content.endswith(b"\n"):
                broken.append(str(path))
    return broken
