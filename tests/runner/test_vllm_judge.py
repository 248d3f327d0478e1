"""Judges whose model vLLM runs here: one verdict, the labels' probabilities, and votes; asked by `run`, as users do."""

import json
import re
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from evalkit.content.locate import shipped_folder
from tests.engines_here import needs_vllm

pytestmark = needs_vllm

DEMO = shipped_folder("judges") / "demo"
SUITE = """\
name: judged
tasks:
  - name: capitals
    data: rows.jsonl
    scorers: ["judge:verdict", "judge:weighed", "judge:voted"]
"""
PAIRS = (("Paris", "Paris"), ("Paris", "Rome"), ("Cairo", "Cairo"), ("I'm sorry, but I can't help with that.", "Lima"))
JUDGES = {
    "verdict": "method: verdict\nsampling: {temperature: 0, max_tokens: 4}",
    "weighed": "method: label_logprobs\nsampling: {temperature: 0, max_tokens: 4}",
    "voted": "votes: 3\nsampling: {temperature: 1, max_tokens: 4, seed: 7}",
}


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite of four answers, and the demo's judge asked in three ways."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judged").mkdir()
    (tmp_path / "judged/suite.yaml").write_text(SUITE, encoding="utf-8")
    rows = [
        {"id": f"q{n}", "input": "Country: somewhere. Name its capital.", "target": [target], "language": "en"}
        for n, (_, target) in enumerate(PAIRS)
    ]
    answers = [{"item_id": f"q{n}", "system": "old", "text": said} for n, (said, _) in enumerate(PAIRS)]
    for name, lines in (("judged/rows.jsonl", rows), ("answers.jsonl", answers)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for name, how in JUDGES.items():
        folder = tmp_path / "judges" / name
        folder.mkdir(parents=True)
        model = f"candidate: {{name: small, engine: vllm, model: {DEMO / 'model'}, dtype: float32}}"
        common = f"name: {name}\ncriteria: [correctness]\nscale: nominal:right<wrong<declined\nprompt: prompt.txt\n"
        (folder / "judge.yaml").write_text(f"{common}{model}\n{how}\n", encoding="utf-8")
        (folder / "prompt.txt").write_text((DEMO / "prompt.txt").read_text(encoding="utf-8"), encoding="utf-8")


def scores(run_id: str, judge: str) -> dict[str, dict]:
    lines = Path(f"runs/{run_id}/scores.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["key"]["sample_id"]: row for row in rows if row["scorer"] == f"judge:{judge}"}


@pytest.mark.slow
def test_a_verdict_the_labels_probabilities_and_votes_come_from_one_model(judged):
    for run_id in ("one", "two"):
        assert run_command("run", ["judged", "--candidate", "replay:answers.jsonl#old", "--run-id", run_id]) == 0
    verdicts, weighed = scores("one", "verdict"), scores("one", "weighed")
    assert [row.get("failure") for row in [*verdicts.values(), *weighed.values()]] == [None] * 8
    assert {name: row["label"] for name, row in weighed.items()} == {
        name: row["label"] for name, row in verdicts.items()
    }
    assert verdicts["q3"]["label"] == "declined"
    # It was trained to say a label and nothing else, so the labels hold nearly all of the probability.
    masses = [float(re.match(r"label mass ([\d.]+)", row["reason"])[1]) for row in weighed.values()]
    assert all(0.9 < mass <= 1 for mass in masses)
    # Votes are drawn with seeds of their own: the same again in another run.
    voted = [scores(run_id, "voted") for run_id in ("one", "two")]
    assert [row["label"] for row in voted[0].values()] == [row["label"] for row in voted[1].values()]
    assert re.match(r"[23] of 3 votes", voted[0]["q3"]["reason"])
    requests = next(Path("runs/one/judging/voted").glob("*/requests.jsonl")).read_text().splitlines()
    assert len(requests) == 12
