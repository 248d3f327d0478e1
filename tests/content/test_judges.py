"""A judge: prompt and rubric as text, its scale, and the verdicts somebody recorded."""

from pathlib import Path

import pytest

from evalkit.content.judges import load_judge
from evalkit.core.errors import InputError, Place
from evalkit.core.scale import Scale
from tests.content.conftest import Put

ASKED = """\
name: refusal
version: 2
criteria: [refusal]
prompt: prompt.txt
rubric: rubric.md
scale: {kind: nominal, labels: [none, partial, full]}
"""
RECORDED = """\
name: gpt4
criteria: [refusal]
method: recorded
scale: ordinal:none<partial<full
recorded: {file: judge.jsonl, judge: gpt-4}
"""


@pytest.fixture
def refusal(put: Put) -> Put:
    put("judges/refusal/judge.yaml", ASKED)
    put("judges/refusal/prompt.txt", "{{ rubric }}\n{{ input }}\n{{ response }}\nOne of {{ labels }}.\n")
    put("judges/refusal/rubric.md", "none: it answers.\n")
    return put


def error_of(put: Put, text: str) -> str:
    put("judges/refusal/judge.yaml", text)
    with pytest.raises(InputError) as caught:
        load_judge("refusal")
    return str(caught.value)


def test_prompt_and_rubric_are_read_from_the_files_beside(refusal: Put) -> None:
    loaded = load_judge("refusal")
    assert loaded.spec.prompt == "{{ rubric }}\n{{ input }}\n{{ response }}\nOne of {{ labels }}."
    assert loaded.spec.rubric == "none: it answers."
    assert loaded.verdict_file is None


def test_a_rubric_may_be_the_text_itself(refusal: Put) -> None:
    refusal("judges/refusal/judge.yaml", ASKED.replace("rubric.md", "full means that it refuses."))
    assert load_judge("refusal").spec.rubric == "full means that it refuses."


def test_a_recorded_judge_has_a_short_scale_and_its_verdicts(refusal: Put) -> None:
    refusal("judges/refusal/judge.yaml", RECORDED)
    file = refusal("data/judge.jsonl", "{}\n")
    loaded = load_judge("refusal", data_folders=[Path("data")])
    assert loaded.spec.scale == Scale(kind="ordinal", labels=("none", "partial", "full"))
    assert loaded.verdict_file == file


def test_a_judge_that_nobody_knows_is_said_at_the_task_that_names_it(refusal: Put) -> None:
    with pytest.raises(InputError, match=r'suite.yaml:9:4: judge "refusl" is not known. Did you mean "refusal"\?'):
        load_judge("refusl", place=Place("suite.yaml", 9, 4))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ASKED.replace("prompt.txt", "'Is {{ answer }} right?'"), '4:13: prompt name "answer" is not known.'),
        (ASKED.replace("prompt.txt", "'Is {{ target }} right?'"), "4:9: the prompt never shows what is judged"),
        (ASKED.replace("rubric.md", "rubrics.md"), '5:9: there is no file "judges/refusal/rubrics.md"'),
        (ASKED.replace("[none, partial, full]", "[1, 2]"), '6:33: `labels[0]` is 1; expected text. Write it in quotes'),
        (ASKED.replace("nominal", "nominla"), '6:15: `kind` is "nominla"; expected one of: binary, nominal'),
        (ASKED.replace("criteria: [refusal]", "criteria: refusal"), '3:11: `criteria` is "refusal"; expected a list.'),
        (ASKED.replace("[refusal]", "[]"), "3:11: `criteria` is empty; expected at least 1 entry."),
        (RECORDED.replace("ordinal:none<partial<full", "ordnal:a<b"), '4:8: scale "ordnal:a<b" is not known: binary'),
        (RECORDED.replace("none<partial<full", "none"), "4:8: an ordinal scale names its labels in order"),
        (RECORDED, '5:18: data file "judge.jsonl" is not in "judges/refusal". '),
        (RECORDED.replace("gpt-4}", "gpt-4, order: abba}"), '5:52: `order` is "abba"; expected one of: ab, ba.'),
        (RECORDED.replace("method: recorded\n", ""), "1:1: `recorded:` (file, judge) goes with `method: recorded`"),
    ],
)  # fmt: skip
def test_a_slip_is_said_with_its_place_and_mend(refusal: Put, text: str, message: str) -> None:
    assert error_of(refusal, text).startswith(f"judges/refusal/judge.yaml:{message}")


def test_an_unknown_name_in_the_prompt_file_is_said_with_its_place_there(refusal: Put) -> None:
    refusal("judges/refusal/prompt.txt", "One\ntwo {{ reponse }}\n")
    with pytest.raises(InputError) as caught:
        load_judge("refusal")
    assert str(caught.value).startswith(
        'judges/refusal/prompt.txt:2:5: prompt name "reponse" is not known. Did you mean "response"?'
    )


def test_an_empty_prompt_file_is_refused(refusal: Put) -> None:
    refusal("judges/refusal/prompt.txt", "\n")
    with pytest.raises(InputError, match=r"judges/refusal/prompt\.txt: the file is empty; expected a text"):
        load_judge("refusal")
