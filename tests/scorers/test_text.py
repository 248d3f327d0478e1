import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import InputError
from evalkit.scorers.patterns import TIMEOUT_S
from tests.scorers.making import RAN_OUT, SYSTEM_FAILURE, make_response, make_sample, make_scorer, value_of
from tests.strategies import texts, wild_texts


@pytest.mark.parametrize(
    ("target", "answer", "language"),
    [
        ("Paris", " **paris.** ", None),
        ("Straße", "STRASSE", "de"),
        ("ΟΔΟΣ", "οδος", "el"),
        ("نعم", "«نعم.»", "ar"),
        ("نعم", "\u200fنعم\u200f", "ar"),
        ("हाँ", "हाँ।", "hi"),
        ("はい", "「はい。」", "ja"),
        ("ใช่", "ใช่", "th"),
        ("Da", "„Da”", "ro"),
        ("ısparta", "ISPARTA", "tr"),
        ("istanbul", "İSTANBUL", "tr"),
        ("New York", "new\u00a0york", "en"),
        ("-5", "-5.", None),
        ("50%", "50%", None),
    ],
)
def test_exact_sees_through_case_white_space_and_punctuation(target: str, answer: str, language: str | None) -> None:
    assert value_of(make_scorer("exact"), make_sample(target, language=language), answer) == 1.0


@pytest.mark.parametrize(
    ("target", "answer"), [("5", "-5"), ("50", "50%"), ("C", "C#"), ("!", "?"), ("a b", "ab"), ("é", "e"), ("1", "10")]
)
def test_exact_keeps_apart_what_means_something_else(target: str, answer: str) -> None:
    assert value_of(make_scorer("exact"), make_sample(target), answer) == 0.0


@given(texts(min_size=1))
def test_exact_is_the_same_for_composed_and_decomposed_text(text: str) -> None:
    scorer = make_scorer("exact")
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert value_of(scorer, make_sample(composed), decomposed) == 1.0
    assert value_of(scorer, make_sample(decomposed), composed) == 1.0


@given(texts(), texts(min_size=1))
def test_exact_is_symmetric(left: str, right: str) -> None:
    scorer = make_scorer("exact")
    assert value_of(scorer, make_sample(left), right) == value_of(scorer, make_sample(right), left)


def test_exact_takes_any_of_several_targets() -> None:
    score = make_scorer("exact").score(make_sample("Rome", "Roma"), make_response("roma"))
    assert (score.value, score.unit, score.reason) == (1.0, "share", 'equals "Roma"')


def test_exact_options_switch_each_tolerance_off() -> None:
    assert value_of(make_scorer("exact", ignore_case=False), make_sample("Paris"), "paris") == 0.0
    assert value_of(make_scorer("exact", ignore_punctuation=False), make_sample("Paris"), "Paris.") == 0.0
    assert value_of(make_scorer("exact"), make_sample("AB1"), "ＡＢ１") == 0.0
    assert value_of(make_scorer("exact", normalise="NFKC"), make_sample("AB1"), "ＡＢ１") == 1.0


@pytest.mark.parametrize(
    ("target", "answer", "found"),
    [
        ("art", "a work of Art!", 1.0),
        ("art", "a party", 0.0),
        ("Paris", "我在Paris工作", 1.0),
        ("北京", "首都是北京市。", 1.0),
        ("กรุงเทพ", "เมืองหลวงคือกรุงเทพมหานคร", 1.0),
        ("ប៉ារីស", "រដ្ឋធានីគឺប៉ារីសបារាំង", 1.0),
        ("ວຽງຈັນ", "ນະຄອນຫຼວງວຽງຈັນ", 1.0),
        ("ရန်ကုန်", "မြို့တော်ရန်ကုန်မြို့", 1.0),
        ("東京", "東京タワー", 1.0),
        ("파리", "수도는 파리입니다", 1.0),
        ("باريس", "العاصمة هي باريس.", 1.0),
        ("كتاب", "كتابة", 0.0),
        ("कम", "कमी", 0.0),
        ("दिल्ली", "राजधानी दिल्ली है", 1.0),
        ("кот", "котёл", 0.0),
        ("5", "15", 0.0),
        ("5", "it is 5.", 1.0),
        ("5", "5.3", 0.0),
        ("caf\u00e9", "un cafe\u0301 noir", 1.0),
    ],
)
def test_includes_finds_words_where_the_script_has_them(target: str, answer: str, found: float) -> None:
    assert value_of(make_scorer("includes"), make_sample(target), answer) == found


def test_includes_finds_parts_of_words_when_told() -> None:
    assert value_of(make_scorer("includes", whole_words=False), make_sample("art"), "a party") == 1.0


@pytest.mark.parametrize("scorer", ["exact", "includes", "number", "choice"])
def test_a_sample_without_a_target_is_nobodys_wrong_answer(scorer: str) -> None:
    score = make_scorer(scorer).score(make_sample(), make_response("x"))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("system", "no_target")
    assert "sample s1" in score.failure.message


@pytest.mark.parametrize("failure", [RAN_OUT, SYSTEM_FAILURE])
def test_a_failed_response_passes_its_failure_on(failure: object) -> None:
    score = make_scorer("exact").score(make_sample("x"), make_response("x", failure=failure))  # type: ignore[arg-type]
    assert score.failure == failure


def test_pattern_matches_anywhere_or_whole_or_must_be_absent() -> None:
    sample = make_sample()
    assert value_of(make_scorer("pattern", pattern=r"\d{4}"), sample, "in 1999 or so") == 1.0
    assert value_of(make_scorer("pattern", pattern=r"\d{4}", full=True), sample, "in 1999") == 0.0
    assert value_of(make_scorer("pattern", pattern=r"\d{4}", full=True), sample, " 1999\n") == 1.0
    assert value_of(make_scorer("pattern", pattern=r"\d{4}", absent=True), sample, "no year") == 1.0
    assert value_of(make_scorer("pattern", pattern=r"^\p{Thai}+$"), sample, "สวัสดี") == 1.0
    assert value_of(make_scorer("pattern", pattern="caf\u00e9"), sample, "cafe\u0301") == 1.0


def test_a_pattern_that_runs_away_is_the_systems_failure() -> None:
    scorer = make_scorer("pattern", pattern=r"^(\w|\w\w)+$")
    score = scorer.score(make_sample(), make_response("a" * 200 + "!"))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("system", "pattern_timeout")
    assert f"{TIMEOUT_S:g} s" in score.failure.message


def test_a_bad_pattern_is_an_input_error_with_its_position() -> None:
    with pytest.raises(InputError, match=r"suite\.yaml:7:5: .*\(ab.*missing \) at character 4"):
        make_scorer("pattern", pattern="(ab")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ignorecase": True}, 'option of scorer "exact" "ignorecase" is not known. Did you mean "ignore_case"?'),
        ({"normalise": "NFD"}, "option `normalise`"),
        ({"ignore_case": "perhaps"}, "it is 'perhaps'"),
    ],
)
def test_wrong_options_are_refused_with_the_place(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as caught:
        make_scorer("exact", **options)
    assert str(caught.value).startswith("suite.yaml:7:5: ")
    assert said in str(caught.value)


def test_a_missing_option_is_named() -> None:
    with pytest.raises(InputError, match='scorer "pattern" needs the option `pattern`'):
        make_scorer("pattern")


def test_the_digest_changes_with_the_options() -> None:
    plain, strict = make_scorer("exact"), make_scorer("exact", ignore_case=False)
    assert plain.digest == make_scorer("exact").digest != strict.digest


@given(wild_texts(), st.sampled_from(["exact", "includes", "number", "choice"]))
def test_no_text_of_a_model_raises(text: str, name: str) -> None:
    make_scorer(name).score(make_sample("3"), make_response(text))
