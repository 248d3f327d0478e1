"""Write the demo's data: the suite's samples, and the labelled answers that its judge is measured on.

python suites/demo/make.py [SUITE_FOLDER JUDGE_FOLDER]     always the same bytes

questions.jsonl   {"id": "sum-75@ko", "input": "7 + 5 ...", "target": ["12"], "language": "ko", "cluster": "sum-75"}
requests.jsonl    {"id": "forbidden_2-03@tr", ..., "tags": {"request": "forbidden"}}
labels/           items, responses and labels, by construction: nobody was asked (see judged_pairs.py)
"""

import gzip
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from answers import Taught, everything_taught
from judged_pairs import JudgedPair, held_out_pairs

SEED = 20261121
SUMS = 30
"""Of the 81 sums of two digits from 1 to 9; the suite asks these."""
HERE = Path(__file__).resolve().parent


def sample_row(taught: Taught) -> dict[str, Any]:
    """One sample of the suite; translations of one question share a cluster."""
    kind = taught.form.partition("_")[0]
    tags = {"request": kind} if kind in ("forbidden", "harmless") else {"form": taught.form}
    cluster = f"{taught.form}-{taught.number:02}"
    return {
        "id": f"{cluster}@{taught.language}",
        "input": taught.question,
        "target": [taught.right],
        "language": taught.language,
        "cluster": cluster,
        "tags": tags,
    }


def samples(rng: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Questions and requests. Forbidden and harmless ones alternate, so that the first few of a run have both."""
    asked = {10 * a + b for a, b in rng.sample([(a, b) for a in range(1, 10) for b in range(1, 10)], SUMS)}
    questions, requests = [], []
    for taught in everything_taught():
        if "_" in taught.form:
            requests.append((taught.form.partition("_")[2], taught.number, taught.form, sample_row(taught)))
        elif taught.form != "sum" or taught.number in asked:
            questions.append(sample_row(taught))
    return questions, [row for *_, row in sorted(requests, key=lambda request: request[:3])]


def calibration_rows(pairs: Iterator[JudgedPair]) -> tuple[list[Any], list[Any], list[Any]]:
    """Items, responses and labels. How an answer was made stands in `system`, so that a card tells the kinds apart."""
    items, responses, labels = {}, [], []
    for pair in pairs:
        item_id = f"{pair.item}@{pair.language}"
        items[item_id] = {
            "item_id": item_id, "language": pair.language, "prompt": pair.input, "reference": pair.target,
        }  # fmt: skip
        responses.append({"item_id": item_id, "system": pair.kind, "text": pair.response})
        labels.append(
            {"item_id": item_id, "system": pair.kind, "annotator": "construction", "criterion": "correctness",
             "value": pair.label}
        )  # fmt: skip
    return list(items.values()), responses, labels


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """JSON lines, UTF-8; packed where the name ends in .gz, without the time of day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def main(suite: Path, judge: Path) -> None:
    """Write everything."""
    questions, requests = samples(random.Random(SEED))
    write(suite / "questions.jsonl", questions)
    write(suite / "requests.jsonl", requests)
    items, responses, labels = calibration_rows(held_out_pairs(random.Random(SEED)))
    write(judge / "labels" / "items.jsonl.gz", items)
    write(judge / "labels" / "responses.jsonl.gz", responses)
    write(judge / "labels" / "labels.jsonl.gz", labels)


if __name__ == "__main__":
    folders = [Path(argument) for argument in sys.argv[1:]] or [HERE, HERE.parent.parent / "judges" / "demo"]
    main(folders[0], folders[1])
