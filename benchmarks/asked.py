"""What the runner's benchmarks ask, and what is right: one rule for the mock server, the floor and the checks.

    sample 12: "Question 12: say 12 and nothing else."    answer "12"      exact 1    verdict yes (an even number)
    sample 13: "Question 13: say 13 and nothing else."    answer "none"    exact 0    verdict no

Every tenth answer (numbers ending in 3) is wrong; a judge says yes to even numbers. So every score of every sample is
known beforehand, and no two samples ask the same.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TASK, JUDGE = "asked", "even"
EXACT, VERDICT = "exact", f"judge:{JUDGE}"
MAX_TOKENS = 16

JUDGE_MARK = "Is the response an even number?"
"""A request whose last message begins with this is a judge's."""

_SUITE = """\
name: asked
tasks:
  - name: asked
    data: data.jsonl
    sampling: {{temperature: 0, max_tokens: {max_tokens}}}
    scorers: [{scorers}]
    metrics:
{metrics}
"""
_EXACT_METRIC = "      - {name: exact, scorer: exact}"
_JUDGED_METRIC = "      - {name: even, scorer: 'judge:even', reduce: share, labels: ['yes']}"

_JUDGE = f"""\
name: {JUDGE}
criteria: [{JUDGE}]
scale: binary:no<yes
sampling: {{temperature: 0, max_tokens: {MAX_TOKENS}}}
prompt: |
  {JUDGE_MARK}
  {{{{ input }}}}
  {{{{ response }}}}
  End with a line VERDICT: yes or VERDICT: no.
"""

_NUMBER = re.compile(r"say (\d+)")
_RESPONSE = re.compile(r"<<<response \w+>>>\n(.*?)\n<<<end", re.DOTALL)


def question(number: int) -> str:
    """What a sample asks."""
    return f"Question {number}: say {number} and nothing else."


def said(number: int) -> str:
    """What the server answers to it."""
    return "none" if number % 10 == 3 else str(number)


def verdict_on(response: str) -> str:
    """What the server says as a judge of that answer."""
    return "yes" if response.isdecimal() and int(response) % 2 == 0 else "no"


def answer_to(message: str) -> str:
    """The server's whole answer to a last message, a candidate's or a judge's."""
    if message.startswith(JUDGE_MARK):
        judged = _RESPONSE.search(message)
        return f"VERDICT: {verdict_on(judged[1] if judged else '')}"
    asked = _NUMBER.search(message)
    return said(int(asked[1])) if asked else ""


def write_suite(folder: Path, n: int, *, judged: bool = False, echoed: bool = False) -> Path:
    """A suite of n samples, its data, and with `judged` the judge it names; the suite's folder.

    echoed: the targets are such that an engine that says back what it was asked is right as often as the server is.
    """
    suite = folder / "suite"
    suite.mkdir(parents=True)
    scorers = f"{EXACT}, '{VERDICT}'" if judged else EXACT
    metrics = f"{_EXACT_METRIC}\n{_JUDGED_METRIC}" if judged else _EXACT_METRIC
    text = _SUITE.format(max_tokens=MAX_TOKENS, scorers=scorers, metrics=metrics)
    (suite / "suite.yaml").write_text(text, encoding="utf-8")
    with (suite / "data.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(n):
            right = question(number) if echoed and said(number) == str(number) else str(number)
            stream.write(f'{{"id": "{number}", "input": "{question(number)}", "target": "{right}"}}\n')
    if judged:
        (folder / "judges" / JUDGE).mkdir(parents=True)
        (folder / "judges" / JUDGE / "judge.yaml").write_text(_JUDGE, encoding="utf-8")
    return suite


def write_candidate(path: Path, base_url: str, revision: str | None = None, **engine_args: Any) -> Path:
    """A candidate (YAML) that asks the server at that address. With a revision its answers may be kept across runs."""
    candidate: Mapping[str, Any] = {
        "name": path.stem,
        "engine": "openai_http",
        "model": "mock",
        "revision": revision,
        "engine_args": {"base_url": base_url, "api_key_env": None, "concurrency": 64, **engine_args},
    }
    path.write_text(json.dumps(candidate), encoding="utf-8")  # JSON is YAML
    return path
