import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import InputError
from evalkit.scorers.numerals import find_numerals
from tests.scorers.making import make_response, make_sample, make_scorer, value_of

DIGITS = {
    "ar": "٠١٢٣٤٥٦٧٨٩",
    "fa": "۰۱۲۳۴۵۶۷۸۹",
    "hi": "०१२३४५६७८९",
    "bn": "০১২৩৪৫৬৭৮৯",
    "th": "๐๑๒๓๔๕๖๗๘๙",
    "ta": "௦௧௨௩௪௫௬௭௮௯",
    "te": "౦౧౨౩౪౫౬౭౮౯",
    "my": "၀၁၂၃၄၅၆၇၈၉",
    "km": "០១២៣៤៥៦៧៨៩",
    "ja": "０１２３４５６７８９",
}


@pytest.mark.parametrize(
    ("target", "answer", "language"),
    [
        ("1234.5", "Das sind 1.234,5 km.", "de"),
        ("1234.5", "That is 1,234.5 km.", "en"),
        ("1234567.8", "soit 1\u202f234\u202f567,8 euros", "fr"),
        ("1234567", "это 1 234 567 рублей", "ru"),
        ("123456", "कुल १,२३,४५६ रुपये", "hi"),
        ("1234.5", "المجموع ١٬٢٣٤٫٥", "ar"),
        ("1234.5", "1'234.50 Franken", "de-CH"),
        ("5", "答案是５个", "zh"),
        ("5", "คำตอบคือ ๕ คน", "th"),
        ("16", "16টি ডিম", "bn"),
        ("-3.5", "it is −3.5 degrees", "en"),
        ("-3.5", "(-3.5)", "en"),
        ("-5", "es sind -$5", "de"),
        ("0.75", "3/4", None),
        ("1.75", "1 3/4 cups", "en"),
        ("1.75", "1¾", "en"),
        ("1/3", "2/6", None),
        ("0.75", r"so it is \boxed{\frac{3}{4}}", "en"),
        ("70000", r"\$70{,}000", "en"),
        ("6.02e23", "6.02×10²³", None),
        ("0.0015", "1.5 x 10^{-3}", None),
        ("1000", "10³", None),
        ("0.5", "50%", None),
        ("50", "50 %", None),
        ("50%", "0.5", None),
        ("50%", "٥٠٪", "ar"),
        ("0.005", "5‰", None),
        ("18", "Step 1: 16 - 3 = 13. Step 2: 9 * 2 = **18**", "en"),
        ("12345678901234567890123456789012345678901", "12345678901234567890123456789012345678901", None),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(target: str, answer: str, language: str | None) -> None:
    assert value_of(make_scorer("number"), make_sample(target, language=language), answer) == 1.0


@pytest.mark.parametrize(
    ("target", "answer", "language"),
    [
        ("1234", "1.234", "en"),
        ("1.234", "1,234", "en"),
        ("50%", "0.5%", None),
        ("5", "-5", None),
        ("2", "H2O", None),
        ("-5", "3-5", None),
        ("123", "1.2.3", None),
        ("1000000000000000000000000000000000000001", "1000000000000000000000000000000000000002", None),
    ],
)
def test_numbers_that_differ_are_kept_apart(target: str, answer: str, language: str | None) -> None:
    assert value_of(make_scorer("number"), make_sample(target, language=language), answer) != 1.0


@pytest.mark.parametrize(("target", "right"), [("1234", 1.0), ("1.234", 1.0), ("12.34", 0.0)])
def test_where_the_language_does_not_decide_the_target_does(target: str, right: float) -> None:
    for language in (None, "es", "ar", "tlh"):
        assert value_of(make_scorer("number"), make_sample(target, language=language), "1,234") == right


def test_the_language_decides_before_the_target() -> None:
    assert value_of(make_scorer("number"), make_sample("1234", language="de"), "1,234") == 0.0
    assert value_of(make_scorer("number"), make_sample("1234", language="de"), "1.234") == 1.0


def test_a_target_is_data_and_may_have_a_programs_decimal_point() -> None:
    assert value_of(make_scorer("number"), make_sample("1.234", language="de"), "1,234") == 1.0
    assert value_of(make_scorer("number"), make_sample("1.234", language="de"), "1.234") == 1.0
    assert value_of(make_scorer("number"), make_sample("1.234", language="en"), "1,234") == 0.0


def test_which_number_counts() -> None:
    sample, answer = make_sample("3"), "3 apples, then 4"
    assert value_of(make_scorer("number"), sample, answer) == 0.0
    assert value_of(make_scorer("number", which="first"), sample, answer) == 1.0
    assert value_of(make_scorer("number", which="only"), sample, answer) == "several_numbers"
    assert value_of(make_scorer("number", which="only"), sample, "It is 3.") == 1.0


def test_no_number_is_the_candidates_failure() -> None:
    score = make_scorer("number").score(make_sample("3"), make_response("three"))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("candidate", "no_number")


def test_tolerances_are_absolute_or_a_share_of_the_target() -> None:
    sample = make_sample("100")
    assert value_of(make_scorer("number", absolute_tolerance=0.5), sample, "100.5") == 1.0
    assert value_of(make_scorer("number", absolute_tolerance=0.4), sample, "100.5") == 0.0
    assert value_of(make_scorer("number", relative_tolerance=0.01), sample, "99") == 1.0
    assert value_of(make_scorer("number"), make_sample("0.3"), "0.3000000000000000000000001") == 0.0


def test_a_negative_tolerance_is_refused() -> None:
    with pytest.raises(InputError, match=r"absolute_tolerance.*it is -1"):
        make_scorer("number", absolute_tolerance=-1)


def test_a_target_may_explain_before_its_number() -> None:
    assert value_of(make_scorer("number"), make_sample("16 - 3 - 4 = 9; 9 * 2 = 18\n#### 18"), "18") == 1.0


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(DIGITS)))
def test_an_integer_round_trips_in_the_digits_of_every_script(number: int, language: str) -> None:
    written = str(number).translate(str.maketrans("0123456789", DIGITS[language]))
    assert value_of(make_scorer("number"), make_sample(str(number), language=language), f"= {written}!") == 1.0


@given(
    st.decimals(-(10**9), 10**9, allow_nan=False, places=2),
    st.sampled_from([("en", ",."), ("de", ".,"), ("fr", "\u202f,"), ("ru", " ,"), ("de-CH", "’."), ("ar", "٬٫")]),
)
def test_a_decimal_round_trips_in_every_habit(number: Decimal, habit: tuple[str, str]) -> None:
    language, (group, decimal) = habit
    written = f"{number:,.2f}".translate(str.maketrans({",": group, ".": decimal}))
    (found,) = find_numerals(f"= {written}", language)
    assert found.readings == (number,)


@pytest.mark.parametrize("text", ["1" * 100_000, "1," * 50_000, "1e999999999", "9" * 500, "1/" * 30_000, "-" * 50_000])
def test_monstrous_numbers_neither_raise_nor_take_long(text: str) -> None:
    value_of(make_scorer("number"), make_sample("1"), text)


def test_a_division_by_zero_is_two_numbers() -> None:
    assert [str(numeral.readings[0]) for numeral in find_numerals("5/0")] == ["5", "0"]


def test_targets_of_real_word_problems_are_numbers_in_every_language(recorded_data: Path) -> None:
    scorer = make_scorer("number")
    with gzip.open(recorded_data / "multilingual" / "mgsm_items.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            sample = make_sample(item["reference"], language=item["language"])
            assert value_of(scorer, sample, f"{item['prompt']}\n= {item['reference']}") == 1.0
