import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.core.digest import digest_of_file
from evalkit.core.errors import InputError, Place
from evalkit.core.judge import JudgeSpec, RecordedVerdicts, recorded_judge_digest
from evalkit.core.scale import Scale
from evalkit.core.score import Score
from evalkit.scorers.recorded import RecordedJudge, RecordedLabels
from tests.scorers.making import RAN_OUT, make_context, make_response, make_sample, make_scorer


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def label_row(item: str = "s1", value: Any = "full", **more: Any) -> dict[str, Any]:
    return {"item_id": item, "system": "a", "annotator": "gold", "criterion": "refusal", "value": value} | more


def verdict_row(item: str = "s1", value: Any = "full", **more: Any) -> dict[str, Any]:
    return {"item_id": item, "system": "a", "judge": "gpt-4", "criterion": "refusal", "value": value} | more


def make_labels(folder: Path, *rows: dict[str, Any], attempts: int = 1, **options: Any) -> RecordedLabels:
    write_rows(folder / "human.jsonl", *rows)
    given = {"file": "human.jsonl", "criterion": "refusal", "annotator": "gold"} | options
    scorer = make_scorer("labels", make_context(folder=folder, attempts=attempts), **given)
    assert isinstance(scorer, RecordedLabels)
    return scorer


def make_judge(
    folder: Path,
    *rows: dict[str, Any],
    scale: str = "nominal:none<partial<full",
    criteria: tuple[str, ...] = ("refusal",),
    **recorded: Any,
) -> RecordedJudge:
    path = write_rows(folder / "judge.jsonl", *rows)
    where = RecordedVerdicts(**({"file": "judge.jsonl", "judge": "gpt-4"} | recorded))
    spec = JudgeSpec(name="r", criteria=criteria, method="recorded", scale=Scale.parse(scale), recorded=where)
    return RecordedJudge(spec, "r", path, "a", Place("judge.yaml", 3, 1))


def score_of(judge: RecordedJudge, sample_id: str = "s1", attempt: int = 0) -> Score:
    response = make_response("x", sample_id=sample_id, attempt=attempt)
    return judge.scorers[0].score(make_sample(id=sample_id), response)


def test_a_label_joins_by_sample_and_system(tmp_path: Path) -> None:
    scorer = make_labels(
        tmp_path, label_row(value="none", system="b"), label_row(value="full"), label_row("s2", "none")
    )
    assert scorer.score(make_sample(), make_response("x")).label == "full"
    assert (scorer.rows_for_system, scorer.systems, scorer.labels) == (2, ("a", "b"), ("full", "none"))


def test_a_number_is_a_value_and_not_a_label(tmp_path: Path) -> None:
    score = make_labels(tmp_path, label_row(value=4)).score(make_sample(), make_response("x"))
    assert (score.value, score.label) == (4.0, None)


@pytest.mark.parametrize("row", [label_row("other"), label_row(value=None)])
def test_a_sample_without_a_label_is_missing_not_zero(tmp_path: Path, row: dict[str, Any]) -> None:
    failure = make_labels(tmp_path, row).score(make_sample(), make_response("x")).failure
    assert failure is not None
    assert (failure.blame, failure.stage, failure.kind) == ("judge", "score", "not_labelled")


def test_labels_that_join_no_response_say_whose_they_are(tmp_path: Path) -> None:
    scorer = make_labels(tmp_path, label_row(system="b"))
    assert (scorer.rows_for_system, scorer.systems) == (0, ("b",))


def test_collapse_merges_labels_and_keeps_the_finer_one_as_the_reason(tmp_path: Path) -> None:
    scorer = make_labels(tmp_path, label_row(), label_row("s2", "none"), collapse={"full": "refused"})
    score = scorer.score(make_sample(), make_response("x"))
    assert (score.label, score.reason) == ("refused", "full by gold")
    assert scorer.labels == ("none", "refused")


def test_collapse_of_numbers_is_by_their_text(tmp_path: Path) -> None:
    scorer = make_labels(tmp_path, label_row(value=1), collapse={1: "low"})
    assert scorer.score(make_sample(), make_response("x")).label == "low"


def test_a_label_of_another_text_does_not_count(tmp_path: Path) -> None:
    response = make_response("x")
    about_it = make_labels(tmp_path, label_row(response_digest=response.digest))
    assert about_it.score(make_sample(), response).label == "full"
    failure = about_it.score(make_sample(), make_response("y")).failure
    assert failure is not None
    assert failure.kind == "not_labelled"


def test_labels_that_do_not_say_which_attempt_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"human\.jsonl:1: .*which of the 2 answers"):
        make_labels(tmp_path, label_row(), attempts=2)
    scorer = make_labels(tmp_path, label_row(attempt=0), label_row(value="none", attempt=1), attempts=2)
    assert scorer.score(make_sample(), make_response("x", attempt=1)).label == "none"


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([label_row()], {"annotator": "golt"}, 'Did you mean "gold"?'),
        ([label_row()], {"criterion": "refusals"}, 'criterion "refusals" is not known. Did you mean "refusal"?'),
        ([label_row()], {"file": "humans.jsonl"}, 'Did you mean "human.jsonl"?'),
        ([label_row()], {"collapse": {"ful": "x"}}, 'Did you mean "full"?'),
        ([label_row(), label_row(value="none")], {}, "human.jsonl:2: item \"s1\" has 'full' in line 1 and 'none' here"),
        ([label_row(system_b="b")], {}, "human.jsonl:1: compares two systems"),
        ([label_row(value=["full"])], {}, "human.jsonl:1: field `value` must be a text, a number or null"),
        ([{"annotator": "gold", "criterion": "refusal", "item_id": "s1"}], {}, "field `value` is missing"),
        ([label_row(item=7)], {}, "human.jsonl:1: field `item_id` must be a text; it is 7"),
        ([], {}, "none, the file is empty"),
    ],
)
def test_what_is_wrong_with_labels_is_said_with_its_place(
    tmp_path: Path, rows: list[dict[str, Any]], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        make_labels(tmp_path, *rows, **options)
    assert said in str(caught.value)


def test_the_digest_of_labels_follows_the_file(tmp_path: Path) -> None:
    before = make_labels(tmp_path, label_row()).digest
    assert before == make_labels(tmp_path, label_row()).digest != make_labels(tmp_path, label_row(value="none")).digest


def test_a_recorded_verdict_is_taken_as_it_is(tmp_path: Path) -> None:
    judge = make_judge(tmp_path, verdict_row(raw="It declines."), verdict_row(system="b", value="none"))
    score = score_of(judge)
    assert (score.scorer, score.label, score.reason, score.unit) == ("judge:r", "full", "It declines.", "")
    assert (judge.rows_for_system, judge.systems, judge.score_names) == (1, ("a", "b"), ("judge:r",))
    assert judge.digest == recorded_judge_digest(digest_of_file(judge.path), judge.spec.recorded)  # type: ignore[arg-type]


def test_a_null_verdict_is_the_judges_failure_with_its_words_kept(tmp_path: Path) -> None:
    score = score_of(make_judge(tmp_path, verdict_row(value=None, raw="I'm sorry, I can't")))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.stage, score.failure.kind) == ("judge", "read", "unreadable")
    assert "I'm sorry" in score.failure.message
    assert score.reason == "I'm sorry, I can't"


def test_a_sample_that_was_not_judged_is_the_judges_failure(tmp_path: Path) -> None:
    judge = make_judge(tmp_path, verdict_row())
    for score in (score_of(judge, "s9"), score_of(judge, attempt=1)):
        assert score.failure is not None
        assert (score.failure.blame, score.failure.kind) == ("judge", "not_recorded")


@pytest.mark.parametrize(
    ("scale", "value", "expected"),
    [
        ("interval", 4.25, 4.25),
        ("interval", "good", "not_on_scale"),
        ("ordinal:1<2<3", 2, "2"),
        ("ordinal:1<2<3", 2.5, "not_on_scale"),
        ("nominal:none<full", "maybe", "not_on_scale"),
        ("nominal", "maybe", "maybe"),
        ("binary:no<yes", True, "yes"),
    ],
)
def test_a_verdict_must_stand_on_the_scale(tmp_path: Path, scale: str, value: object, expected: object) -> None:
    score = score_of(make_judge(tmp_path, verdict_row(value=value), scale=scale))
    found = score.failure.kind if score.failure else score.label if score.label is not None else score.value
    assert found == expected


def test_each_of_several_criteria_is_a_score_of_its_own(tmp_path: Path) -> None:
    judge = make_judge(
        tmp_path, verdict_row(), verdict_row(criterion="tone", value="none"), criteria=("refusal", "tone")
    )
    assert judge.score_names == ("judge:r/refusal", "judge:r/tone")
    assert [scorer.score(make_sample(), make_response("x")).label for scorer in judge.scorers] == ["full", "none"]


def test_orders_and_promptings_are_never_mixed(tmp_path: Path) -> None:
    rows = [verdict_row(order="ab"), verdict_row(order="ba", value="none")]
    assert score_of(make_judge(tmp_path, *rows, order="ba")).label == "none"
    with pytest.raises(InputError) as caught:
        make_judge(tmp_path, *rows)
    assert 'judge.yaml:3:1: judge "gpt-4", no prompting, no order has no rows' in str(caught.value)
    assert 'judge "gpt-4", no prompting, order "ab"; judge "gpt-4", no prompting, order "ba"' in str(caught.value)


def test_an_answer_that_failed_keeps_its_own_failure(tmp_path: Path) -> None:
    score = make_judge(tmp_path, verdict_row()).scorers[0].score(make_sample(), make_response(failure=RAN_OUT))
    assert score.failure == RAN_OUT


@pytest.mark.parametrize("system", ["llama2orig", "llama2new", "mistralinstruct", "mistralguard", "gpt4"])
def test_real_verdicts_and_labels_join_every_answer(recorded_data: Path, system: str) -> None:
    folder = recorded_data / "xstest"
    recorded = RecordedVerdicts(file="judge.jsonl.gz", judge="gpt-4")
    scale = Scale.parse("nominal:1_full_compliance<2_full_refusal<3_partial_refusal")
    spec = JudgeSpec(name="gpt4", criteria=("refusal",), method="recorded", scale=scale, recorded=recorded)
    judge = RecordedJudge(spec, "gpt4", folder / "judge.jsonl.gz", system)
    people = make_scorer(
        "labels",
        make_context(folder=folder, system=system),
        file="human.jsonl.gz",
        criterion="refusal",
        annotator="adjudicated",
        collapse={"3_partial_refusal": "2_full_refusal"},
    )
    assert isinstance(people, RecordedLabels)
    assert judge.rows_for_system == people.rows_for_system == 450
    with gzip.open(folder / "judge.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["system"] == system and row["judge"] == "gpt-4"]
    for row in rows:
        score = score_of(judge, row["item_id"])
        assert score.label == row["value"]
        assert (score.failure is not None) == (row["value"] is None)
        label = people.score(make_sample(), make_response("x", sample_id=row["item_id"])).label
        assert label in ("1_full_compliance", "2_full_refusal")
