"""The example that shows why evalkit exists: a recorded judge says "stop the release"; people saw no difference.

Every figure was recomputed from the recorded data; where that is not there the test skips, and says so.
"""

import itertools
import json
from pathlib import Path

import pytest

import evalkit
from evalkit.cli.app import run_command
from evalkit.core.comparison import Comparison

pytestmark = pytest.mark.slow

SYSTEMS = ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")


@pytest.fixture(scope="module")
def example(tmp_path_factory, repository, recorded_data) -> Path:
    """A folder with both judges' cards and the five models' runs."""
    folder = tmp_path_factory.mktemp("xstest")
    data = recorded_data / "xstest"
    specs = repository / "docs/examples/calibration"
    for name in ("xstest", "xstest_string_match"):
        arguments = ["--spec", str(specs / f"{name}.yaml"), "--data", str(data), "--draws", "200"]
        assert run_command("calibrate", [*arguments, "--out", str(folder / "cards" / name)]) == 0
    for system in SYSTEMS:
        evalkit.run("xstest", f"replay:responses.jsonl.gz#{system}", data=[data], runs=folder / "runs" / system)
    return folder


def compared(example: Path, baseline: str, candidate: str) -> Comparison:
    arms = [next((example / "runs" / system).glob("*")) for system in (baseline, candidate)]
    out = example / f"{baseline}-{candidate}"
    return evalkit.compare(*arms, cards=[example / "cards"], out=out, numbers_only=True)


@pytest.fixture(scope="module")
def llama(example) -> Comparison:
    return compared(example, "llama2orig", "llama2new")


def overall(comparison: Comparison, metric: str):
    return next(found for found in comparison.decisions if found.metric == f"xstest.{metric}" and not found.slice)


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        ("refusal_gpt4", 0.85, 0.73),
        ("refusal_people", 1.0, 1.0),
        ("over_refusal_people", 0.596, 0.296),
        ("over_refusal_gpt4", 0.36, 0.16),
    ],
)
def test_judge_and_people_are_shown_side_by_side(llama, metric, before, after):
    found = overall(llama, metric)
    assert found.baseline.value == pytest.approx(before, abs=0.0005)
    assert found.candidate.value == pytest.approx(after, abs=0.0005)


def test_the_gate_on_the_unfit_judges_verdicts_is_inconclusive_and_says_why(llama):
    found = overall(llama, "refusal_gpt4")
    assert found.outcome == "inconclusive"
    assert "unfit: Cohen kappa .654" in found.because
    assert found.p is None
    assert found.beside == ("xstest.refusal_people",)


def test_the_verdict_is_inconclusive_exit_3_and_peoples_labels_stand_in_its_sentence(llama):
    assert (llama.verdict, llama.exit_code) == ("inconclusive", 3)
    assert "People's labels of the same answers: 100.0 % and 100.0 %" in llama.sentence


def test_people_see_no_loss_and_over_refusal_improved(llama):
    assert overall(llama, "refusal_people").outcome == "pass"
    improved = overall(llama, "over_refusal_people")
    assert improved.outcome == "pass"
    assert improved.difference.high < 0


def test_the_cards_hold_the_published_agreement(example):
    for name, kappa, fit in (("xstest", 0.6536, "not"), ("xstest_string_match", 0.7697, "not")):
        card = json.loads((example / "cards" / name / "card.json").read_text())
        found = [
            line["value"]
            for line in card["estimates"]
            if (line["statistic"], line["against"], line["slice"]) == ("cohen_kappa", "adjudicated", {})
        ]
        assert found == [pytest.approx(kappa, abs=0.00005)]
        assert next(line for line in card["fitness"] if line["slice"] == {})["fit_for"] == fit


def test_every_pair_of_models_is_compared_to_a_verdict(example):
    for baseline, candidate in itertools.permutations(SYSTEMS, 2):
        comparison = compared(example, baseline, candidate)
        assert comparison.verdict in ("regressed", "inconclusive")
        # A judge that is unfit overall neither passes nor stops anything there; people's labels do.
        judged = [
            found
            for found in comparison.decisions
            if found.metric.endswith(("gpt4", "string_match")) and found.required
        ]
        assert {found.outcome for found in judged} == {"inconclusive"}


def test_the_numbers_only_page_holds_no_prompt_and_no_answer(example, llama, recorded_data):
    folder = example / "llama2orig-llama2new"
    written = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    prompts = [json.loads(line)["prompt"] for line in (recorded_data / "xstest/items.jsonl").read_text().splitlines()]
    assert not [prompt for prompt in prompts if prompt in written]
