import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.scorers.choice_marks import ALPHABETS
from tests.scorers.making import make_response, make_sample, make_scorer, value_of
from tests.strategies import texts

CITIES = ("Rome", "Paris", "New York", "York")


def choice_in(answer: str, choices: tuple[str, ...] = CITIES) -> str:
    """The letters of the options an answer chooses: the one that scores 1, several, or none."""
    score = make_scorer("choice").score(make_sample("A", choices=choices), make_response(answer))
    if score.failure is None:
        return score.reason.split()[1]
    return (
        "".join(score.failure.message.split(" are ")[0].replace("options ", "").split(", "))
        if (score.failure.kind == "ambiguous_choice")
        else ""
    )


@pytest.mark.parametrize(
    "answer",
    [
        "B", "(b)", "b.", "**B**", "[B]", "<b>B</b>", "Ｂ", "ⓑ", "②", "2", "Answer: B", "Answer:B", "ANSWER: B",
        "answer is b.", "Answer - b", "The answer is\n\nB", "The correct answer is **B**: Paris", "B) Paris",
        "B. Paris", "b) Paris", "**B. Paris**", "(2) Paris", "2. Paris", "Answer: 2", "I think it must be B",
        "B is correct",
        "Option B",
        "\\boxed{B}", "$\\boxed{\\text{B}}$", '{"answer": "B"}', "Paris", "paris.", "It is Paris, I think.",
        "The answer is a city called Paris", "A city like Paris", "The answer is Paris, not Rome",
        "A) Rome B) Paris. The answer is Paris", "Option A is wrong. Option C is wrong. The answer is B.",
        "A is too old; C too new. Final answer: B", "Answer: A? No.\nFinal answer: B", "1. Think\n2. Look\nSo it is B",
        "答案是B", "答案：B", "因此选B", "故选：B", "选项B正确", "乙", "答案是乙。", "答えはBです", "答え：イ",
        "정답: B입니다", "정답은 나입니다",
        "ب", "(ب)", "الجواب: ب", "الإجابة هي (ب)", "الإجابة الصحيحة هي ب", "پاسخ: ب", "התשובה היא ב",
        "Б", "Ответ: Б", "Правильный ответ — Б) Париж", "ख", "(ख)", "उत्तर है ख", "উত্তর: খ", "คำตอบคือ ข", "คำตอบคือข้อ ข.",
        "ข้อ ข", "ຄຳຕອບ: ຂ", "መልስ፦ ለ", "La respuesta correcta es la B.", "Réponse : (b)", "La réponse est B",
        "Die richtige Antwort ist B", "Antwort: b) Paris", "Đáp án: B", "Cevap: B", "Jibu ni B", "Η απάντηση είναι η Β",
    ],
)  # fmt: skip
def test_a_choice_is_found_however_it_is_said(answer: str) -> None:
    assert choice_in(answer) == "B"


@pytest.mark.parametrize("alphabet", ALPHABETS, ids=lambda alphabet: alphabet[:3])
def test_every_alphabet_marks_in_its_own_order(alphabet: str) -> None:
    assert [choice_in(letter, ("x", "y", "z", "w")) for letter in alphabet[:4]] == ["A", "B", "C", "D"]


def test_letters_that_look_alike_keep_their_own_alphabet() -> None:
    latin, cyrillic = "B", "\u0412"
    assert (choice_in(latin), choice_in(f"Ответ: {cyrillic}")) == ("B", "C")
    assert choice_in("\u0421") == "C"


@pytest.mark.parametrize(
    "answer", ["I cannot answer that.", "Bonn", "Vitamin-C", "C++", "Nobody knows", "", "A nice day", "?"]
)
def test_no_choice_is_the_candidates_failure(answer: str) -> None:
    score = make_scorer("choice").score(make_sample("B", choices=CITIES), make_response(answer))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("candidate", "no_choice")


@pytest.mark.parametrize(
    "answer", ["A or B", "Answer: A and B", "A, B", "A) Rome\nB) Paris", "Rome and Paris", "الجواب: أ أو ب"]
)
def test_several_choices_are_the_candidates_failure(answer: str) -> None:
    score = make_scorer("choice").score(make_sample("B", choices=CITIES), make_response(answer))
    assert score.failure is not None
    assert (score.failure.blame, score.failure.kind) == ("candidate", "ambiguous_choice")


def test_an_option_inside_another_is_not_chosen_with_it() -> None:
    assert choice_in("It happened in New York") == "C"
    assert choice_in("It happened in York") == "D"


def test_options_that_are_numbers_are_meant_by_their_text() -> None:
    sample = make_sample("3", choices=("2", "3", "4"))
    assert value_of(make_scorer("choice"), sample, "Answer: 3") == 1.0
    assert value_of(make_scorer("choice"), sample, "B") == 1.0
    assert value_of(make_scorer("choice"), sample, "2") == 0.0


@pytest.mark.parametrize("target", ["B", "b", "Paris", "paris", "2", "B) Paris", "ب", "(B)"])
def test_a_target_is_a_mark_or_an_options_text(target: str) -> None:
    assert value_of(make_scorer("choice"), make_sample(target, choices=CITIES), "Paris") == 1.0


def test_a_target_may_count_from_zero() -> None:
    scorer = make_scorer("choice", target_counts_from=0)
    assert value_of(scorer, make_sample("0", choices=CITIES), "A") == 1.0
    score = make_scorer("choice").score(make_sample("0", choices=CITIES), make_response("A"))
    assert score.failure is not None
    assert "target_counts_from: 0" in score.failure.message


def test_without_choices_the_letters_still_count() -> None:
    assert value_of(make_scorer("choice"), make_sample("B"), "The answer is B.") == 1.0
    assert value_of(make_scorer("choice"), make_sample("H"), "Answer: H") == 1.0
    assert value_of(make_scorer("choice"), make_sample("B"), "The answer is C.") == 0.0


def test_marks_of_the_prompt_replace_the_known_ones() -> None:
    scorer = make_scorer("choice", marks=["P", "Q"])
    sample = make_sample("Q", choices=("yes", "no"))
    assert value_of(scorer, sample, "Answer: Q") == 1.0
    assert value_of(scorer, sample, "B") == "no_choice"


@given(texts(), st.sampled_from("ABCD"))
def test_a_last_line_that_declares_the_answer_decides(rambling: str, letter: str) -> None:
    rambling = rambling.replace("\\boxed", "")
    assert choice_in(f"{rambling}\nFinal answer: {letter}", ("1 x", "2 x", "3 x", "4 x")) == letter


@pytest.mark.parametrize(
    "text", [" " * 50_000 + "x", "B" + " " * 50_000 + "x", "\n" * 50_000 + "x", "1 " * 30_000, "answer " * 10_000]
)
def test_long_answers_do_not_take_long(text: str) -> None:
    choice_in(text)


def test_options_of_real_questions_are_found_in_every_language(recorded_data: Path) -> None:
    scorer = make_scorer("choice", target_counts_from=0)
    with gzip.open(recorded_data / "multilingual" / "xcopa_items.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % 20:
                continue
            item = json.loads(line)
            choices = tuple(item["choices"])
            sample = make_sample(str(item["reference"]), choices=choices, language=item["language"])
            assert value_of(scorer, sample, f"“{choices[item['reference']]}”") == 1.0
            assert value_of(scorer, sample, f"{item['prompt']}\n{choices[1 - item['reference']]}") == 0.0
            assert value_of(scorer, sample, f"({'AB'[item['reference']]})") == 1.0
