"""Small suites written into a folder, for tests that run one."""

import json
from pathlib import Path

SUITE = """\
name: small
tasks:
  - name: sums
    data: sums.jsonl
    sampling: {temperature: 0, max_tokens: 16}
    scorers: [number]
    slices: [language]
"""


def write_suite(folder: Path, n: int = 40, suite: str = SUITE) -> Path:
    """A suite of n sums in two languages, each asked in its own words; the folder of its YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(suite, encoding="utf-8")
    with (folder / "sums.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(n):
            sample = {
                "id": f"sum-{number}",
                "input": f"{number} + {number + 1} = ?",
                "target": str(2 * number + 1),
                "language": ("en", "ar")[number % 2],
            }
            stream.write(json.dumps(sample) + "\n")
    return folder


def write_answers(folder: Path, n: int = 40, wrong: dict[str, set[int]] | None = None) -> Path:
    """Recorded answers of systems `old` and `new`; `wrong`: system -> the sums it gets wrong."""
    path = folder / "answers.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for system in ("old", "new"):
            for number in range(n):
                right = number not in (wrong or {}).get(system, set())
                text = str(2 * number + 1 if right else 0)
                stream.write(json.dumps({"item_id": f"sum-{number}", "system": system, "text": text}) + "\n")
    return path
