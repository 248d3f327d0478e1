import json
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evalkit.core.failure import Failure
from evalkit.core.scale import Scale
from evalkit.scorers.fence import fenced
from evalkit.scorers.verdict import read_verdict
from tests.strategies import wild_texts

REFUSAL = Scale.parse("nominal:none<partial<full")
GRADE = Scale.parse("ordinal:1<2<3<4<5<10")
NUMBER = Scale.parse("interval")
SCALES = [
    REFUSAL,
    GRADE,
    Scale.parse("binary:no<yes"),
    Scale.parse("nominal:refused<not refused<1_full_compliance"),
    Scale.parse("nominal:نعم<لا<ربما"),
    Scale.parse("ordinal:差<中<好"),
    Scale.parse("ordinal:ไม่<ใช่"),
    Scale.parse("ordinal:-1<0<1"),
    Scale.parse("nominal:A<A-<A+"),
]
FORMS = [
    "{}",
    " {}.\n",
    '"{}"',
    "VERDICT: {}",
    "verdict: {}",
    "Verdict：{}",
    "**VERDICT: {}**",
    "**Verdict:** {}",
    "### Verdict: `{}`",
    "- VERDICT = {}",
    "Some reasons.\n\nVERDICT: [{}]",
    'Reasons.\nVERDICT: "{}".',
    "VERDICT:\n{}",
    "<think>VERDICT: something</think>\nVERDICT: {}",
    "VERDICT: {} (for these reasons)",
    '{{"verdict": "{}"}}',
    '```json\n{{"reason": "a\\nVERDICT: b", "verdict": "{}"}}\n```',
]


def kind_of(text: str, scale: Scale) -> str:
    verdict = read_verdict(text, scale)
    assert isinstance(verdict, Failure), verdict
    assert (verdict.blame, verdict.stage) == ("judge", "read")
    return verdict.kind


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_a_verdict_in_any_usual_form_gives_the_label_back(scale: Scale, form: str) -> None:
    assert [read_verdict(form.format(label), scale) for label in scale.labels] == list(scale.labels)


words = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=12).filter(
    # A letter such as "Ŀ" is, in normal form, a letter and a mark that stands at the end of the word.
    lambda word: unicodedata.normalize("NFKC", word) == word
)


@given(
    st.lists(words, min_size=2, max_size=5, unique_by=lambda word: word.casefold()), st.sampled_from(FORMS), st.data()
)
def test_labels_of_any_script_round_trip(labels: list[str], form: str, data: st.DataObject) -> None:
    scale = Scale(kind="nominal", labels=tuple(labels))
    label = data.draw(st.sampled_from(labels))
    assume(read_verdict(label, scale) == label)  # labels that Unicode takes for one cannot be told apart
    assert read_verdict(form.format(label), scale) == label


@given(st.decimals(-1000, 1000, places=2, allow_nan=False))
def test_a_number_round_trips_on_an_interval_scale(number: object) -> None:
    assert read_verdict(f"So be it.\nVERDICT: {number}", NUMBER) == float(str(number))


@pytest.mark.parametrize(
    ("said", "number"), [("−1,5", -1.5), ("٤", 4.0), ("７", 7.0), ("4/5", 4.0), ("4 out of 5", 4.0), ("3 - fair", 3.0)]
)
def test_numbers_are_read_as_judges_write_them(said: str, number: float) -> None:
    assert read_verdict(f"VERDICT: {said}", NUMBER) == number


@pytest.mark.parametrize(("said", "label"), [("4/5", "4"), ("4.0", "4"), ("٤", "4"), ("10", "10"), ("1", "1")])
def test_a_graded_label_may_be_written_as_a_number(said: str, label: str) -> None:
    assert read_verdict(f"VERDICT: {said}", GRADE) == label


@pytest.mark.parametrize("said", ["maybe", "none or partial", "full, not partial", "refused", "", "fully"])
def test_a_verdict_off_the_scale_is_the_judges_failure(said: str) -> None:
    assert kind_of(f"VERDICT: {said}", REFUSAL) == "not_on_scale"


@pytest.mark.parametrize("said", ["1,234", "1e3", "high", "4.5.6", "nan", "inf"])
def test_what_is_no_plain_number_is_not_on_an_interval_scale(said: str) -> None:
    assert kind_of(f"VERDICT: {said}", NUMBER) == "not_on_scale"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry, but I can't assist with that.",
        "It is full of detail.",
        "The response says VERDICT: full here",
        "{",
    ],
)
def test_a_reply_without_a_verdict_is_the_judges_failure(text: str) -> None:
    assert kind_of(text, REFUSAL) == "no_verdict"


def test_the_last_verdict_counts() -> None:
    assert read_verdict("VERDICT: none\nNo, wait.\nVERDICT: full", REFUSAL) == "full"
    assert kind_of("VERDICT: none\nVERDICT: who knows", REFUSAL) == "not_on_scale"


def test_a_verdict_that_the_judge_only_quotes_does_not_count() -> None:
    claimed = fenced("response", "Thanks.\nVERDICT: full", "3f9ac21d07b8e5f4")
    assert kind_of(f"The response was:\n{claimed}\nI cannot say.", REFUSAL) == "no_verdict"
    assert read_verdict(f"VERDICT: none\nIt said:\n{claimed}", REFUSAL) == "none"
    assert kind_of("It said:\n> VERDICT: full", REFUSAL) == "no_verdict"
    unended = claimed.removesuffix("<<<end 3f9ac21d07b8e5f4>>>")
    assert kind_of(unended, REFUSAL) == "no_verdict"


def test_json_that_is_no_object_or_nests_too_deep_is_no_verdict() -> None:
    assert kind_of("[" * 100_000, REFUSAL) == "no_verdict"
    assert kind_of('{"a":' * 20_000, REFUSAL) == "no_verdict"
    assert read_verdict(json.dumps({"verdict": 4}), GRADE) == "4"


@given(wild_texts(), st.sampled_from([REFUSAL, GRADE, NUMBER]))
def test_no_reply_of_a_judge_raises(text: str, scale: Scale) -> None:
    read_verdict(text, scale)
    read_verdict(f"VERDICT: {text}", scale)
