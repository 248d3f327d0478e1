"""A suite: short forms, prompts as text, names that refer to each other, data, and a digest over what counts."""

from pathlib import Path

import pytest

from evalkit.content.suites import LoadedSuite, load_suite
from evalkit.core.errors import InputError
from evalkit.core.suite import MetricSpec, ScorerSpec
from tests.content.conftest import Put

SUITE = """\
name: support
version: 3
description: what support is asked
tasks:
  - name: support
    kind: safety
    data: data/support.jsonl
    prompt: prompts/answer.txt
    sampling: {temperature: 0, max_tokens: 512}
    scorers: [judge:refusal, output_tokens, {scorer: pattern, name: has_date, pattern: '\\d{4}'}]
    metrics:
      - name: over_refusal
        scorer: judge:refusal
        reduce: share
        labels: [full, partial]
        where: {metadata.label: safe}
        better: lower
    slices: [language, [language, tags.hazard]]
"""


@pytest.fixture
def support(put: Put) -> Put:
    put("suites/support/suite.yaml", SUITE)
    put("suites/support/prompts/answer.txt", "Answer briefly.\n{{ input }}\n")
    put("suites/support/data/support.jsonl", '{"id": "a", "input": "hello"}\n')
    return put


def changed(put: Put, old: str, new: str) -> LoadedSuite:
    assert old in SUITE
    put("suites/support/suite.yaml", SUITE.replace(old, new))
    return load_suite("support")


def error_of(put: Put, old: str, new: str) -> str:
    with pytest.raises(InputError) as caught:
        changed(put, old, new)
    return str(caught.value)


def test_short_forms_are_written_out(support: Put) -> None:
    task = load_suite("support").suite.tasks[0]
    assert task.data.file == "data/support.jsonl"
    assert task.prompt == "Answer briefly.\n{{ input }}"
    assert task.slices == (("language",), ("language", "tags.hazard"))
    assert task.scorers == (
        ScorerSpec(scorer="judge:refusal", name="judge:refusal"),
        ScorerSpec(scorer="output_tokens", name="output_tokens"),
        ScorerSpec(scorer="pattern", name="has_date", options={"pattern": r"\d{4}"}),
    )
    assert task.metrics[0].where == {"metadata.label": "safe"}


def test_the_files_of_a_suite_are_known(support: Put) -> None:
    loaded = load_suite("suites/support/suite.yaml")
    assert loaded.folder == Path("suites/support")
    assert loaded.data_files == {"support": Path("suites/support/data/support.jsonl")}
    assert set(loaded.data_digests) == {"support"}


def test_data_may_lie_in_a_data_folder(support: Put) -> None:
    Path("suites/support/data/support.jsonl").unlink()
    elsewhere = support("elsewhere/data/support.jsonl", '{"id": "a", "input": "hello"}\n')
    assert load_suite("support", data_folders=[Path("elsewhere")]).data_files == {"support": elsewhere}


def test_a_task_without_metrics_has_the_mean_of_each_scorer_but_no_mean_of_a_judges_labels(support: Put) -> None:
    metrics = SUITE[SUITE.index("    metrics:") : SUITE.index("    slices:")]
    loaded = changed(support, metrics, "")
    assert loaded.suite.tasks[0].metrics == (
        MetricSpec(name="output_tokens", scorer="output_tokens", better="lower"),
        MetricSpec(name="has_date", scorer="has_date"),
    )
    assert str(loaded.metric_place("support", "has_date")).startswith("suites/support/suite.yaml:10:")


def test_a_judge_with_several_criteria_is_named_with_one(support: Put) -> None:
    loaded = changed(support, "scorer: judge:refusal\n", "scorer: judge:refusal/harm\n")
    assert loaded.suite.tasks[0].metrics[0].scorer == "judge:refusal/harm"


def test_places_are_known_after_loading(support: Put) -> None:
    loaded = load_suite("support")
    assert str(loaded.scorer_place("support", "judge:refusal")) == "suites/support/suite.yaml:10:15"
    assert str(loaded.scorer_place("support", "has_date")) == "suites/support/suite.yaml:10:54"
    assert str(loaded.metric_place("support", "over_refusal")) == "suites/support/suite.yaml:12:9"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: safety", "kind: saftey", "6:11: `kind` is \"saftey\"; expected one of: quality, safety, cost"),
        ("sampling:", "samplign:", '9:5: key "samplign" is not known here. Did you mean "sampling"?'),
        ("max_tokens: 512", "max_tokens: '512'", "9:44: `max_tokens` is \"512\"; expected a whole number."),
        ("max_tokens: 512", "max_tokens: 0", "9:44: `max_tokens` is 0; expected a number of at least 1."),
        ("scorer: judge:refusal\n", "scorer: judge:refusl\n", '13:17: scorer "judge:refusl" is not known. Did you'),
        ("scorer: judge:refusal\n", "scorer: has_date/x\n", '13:17: scorer "has_date/x" is not known.'),
        ("name: has_date", "name: output_tokens", '10:69: scorer "output_tokens" is here twice.'),
        ("tags.hazard", "tag.hazard", '18:35: column "tag.hazard" is not known. Did you mean "tags.hazard"?'),
        ("[language, [", "[langauge, [", '18:14: column "langauge" is not known. Did you mean "language"?'),
        ("metadata.label:", "label:", '16:17: column "label" is not known.'),
        ("data: data/support.jsonl", "data: data/suport.jsonl", '7:11: data file "data/suport.jsonl" is not in '),
        ("data: data/support.jsonl", "data: {file: a, columns: {idd: x}}", '7:31: sample field "idd" is not known.'),
        ("data: data/support.jsonl", "data: {hub: org/set, revision: abc}", "7:11: a hub dataset needs `split:`"),
        ("data: data/support.jsonl", "data: [a]", "7:11: `data` is a list; expected a mapping"),
        ("answer.txt", "anwser.txt", '8:13: there is no file "suites/support/prompts/anwser.txt"'),
        ("prompts/answer.txt", "'{{ inptu }}'", '8:14: prompt name "inptu" is not known. Did you mean "input"?'),
        ("prompts/answer.txt", "'{{ input | upper }}'", '8:14: "input | upper" in a prompt is not a name.'),
        ("prompts/answer.txt", "[a]", "8:13: `prompt` is a list; expected text."),
        ("  - name: support", "  - name: support.en", '5:11: task name "support.en" holds "." or "/"'),
        ("version: 3", "version: 3\ndigest: abc", '3:1: key "digest" is not known here.'),
        ("{scorer: pattern, name", "{name", "10:45: `scorer` is missing here: A built-in or a plugin's scorer"),
        ("scorers: [judge:refusal,", "scorers: [3,", "10:15: `scorers[0]` is 3; expected a mapping"),
        ("{scorer: pattern, name", "{scoer: pattern, name", '10:46: key "scoer" is not known here. Did you mean "scor'),
    ],
)  # fmt: skip
def test_a_slip_is_said_with_its_place_and_mend(support: Put, old: str, new: str, message: str) -> None:
    assert error_of(support, old, new).startswith(f"suites/support/suite.yaml:{message}")


def test_tasks_that_are_no_list_are_refused(put: Put) -> None:
    put("suites/s/suite.yaml", "name: s\ntasks: {}\n")
    with pytest.raises(InputError, match=r"suites/s/suite.yaml:2:8: `tasks` is a mapping; expected a list\."):
        load_suite("s")


def test_an_unknown_name_in_a_prompt_file_is_said_with_its_place_there(support: Put) -> None:
    support("suites/support/prompts/answer.txt", "Answer.\n\n  In {{ langauge }}: {{ input }}\n")
    with pytest.raises(InputError) as caught:
        load_suite("support")
    assert str(caught.value).startswith(
        'suites/support/prompts/answer.txt:3:6: prompt name "langauge" is not known. Did you mean "language"?'
    )


def test_a_prompt_may_stand_in_the_suite_itself(support: Put) -> None:
    inline = "prompt: |\n      Answer in {{ metadata.style }}.\n      {{ input }}\n"
    assert changed(support, "prompt: prompts/answer.txt\n", inline).suite.tasks[0].prompt == (
        "Answer in {{ metadata.style }}.\n{{ input }}"
    )
    wrong = error_of(support, "prompt: prompts/answer.txt\n", inline.replace("metadata.style", "style"))
    assert wrong.startswith('suites/support/suite.yaml:9:17: prompt name "style" is not known.')


def test_braces_round_what_is_no_name_are_text(support: Put) -> None:
    loaded = changed(support, "prompts/answer.txt", '\'{{ input }} as {"a": {{}}} or {{"b": 1}}\'')
    assert loaded.suite.tasks[0].prompt == '{{ input }} as {"a": {{}}} or {{"b": 1}}'


def test_the_digest_changes_with_what_a_result_depends_on(support: Put) -> None:
    first = load_suite("support").suite.digest
    assert changed(support, "max_tokens: 512", "max_tokens: 256").suite.digest != first
    assert changed(support, "\\d{4}", "\\d{2}").suite.digest != first
    support("suites/support/suite.yaml", SUITE)
    support("suites/support/data/support.jsonl", '{"id": "a", "input": "hello!"}\n')
    assert load_suite("support").suite.digest != first
    support("suites/support/data/support.jsonl", '{"id": "a", "input": "hello"}\n')
    support("suites/support/prompts/answer.txt", "{{ input }}")
    assert load_suite("support").suite.digest != first


def test_the_digest_does_not_change_with_words_about_the_suite_nor_with_where_things_lie(support: Put) -> None:
    first = load_suite("support").suite.digest
    described = changed(support, "description: what support is asked", "description: more\nlicence: CC0-1.0")
    assert described.suite.digest == first
    inline = changed(support, "prompts/answer.txt", '"Answer briefly.\\n{{ input }}"')
    assert inline.suite.digest == first
    Path("suites/support/data/support.jsonl").rename("suites/support/moved.jsonl")
    assert changed(support, "data/support.jsonl", "moved.jsonl").suite.digest == first


def test_a_hub_datasets_digest_is_its_pinned_revision(support: Put) -> None:
    pinned = "data: {hub: org/set, revision: %s, split: test}"
    one = changed(support, "data: data/support.jsonl", pinned % "abc")
    other = changed(support, "data: data/support.jsonl", pinned % "abd")
    assert one.data_files == {}
    assert one.suite.digest != other.suite.digest
