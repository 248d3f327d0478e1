"""YAML: every error has a place and a mend, and nothing is read as something else than it says."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from evalkit.content.parse import load_yaml, read_text, validate
from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.report_spec import ReportSpec
from evalkit.core.suite import MetricSpec, Suite
from tests.strategies import json_values, texts


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str | bytes) -> Path:
    path = Path("f.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return path


def error_of(text: str | bytes, model: type = ReportSpec) -> str:
    with pytest.raises(InputError) as caught:
        validate(load_yaml(written(text)), model)
    return str(caught.value)


def test_norwegian_stays_in_a_list_of_languages() -> None:
    assert load_yaml(written("languages: [no, en]\nyes: on\n")).value == {"languages": ["no", "en"], "yes": "on"}


def test_yaml_1_2_reads_no_times_of_day_and_no_leading_zero_as_octal() -> None:
    assert load_yaml(written("a: 12:30:00\nb: 012\nc: 1e3\nd: ~\ne:\nf: true\n")).value == {
        "a": "12:30:00",
        "b": 12,
        "c": 1000.0,
        "d": None,
        "e": None,
        "f": True,
    }


def test_a_date_is_the_text_it_was_written_as() -> None:
    assert load_yaml(written("revision: 2026-11-01\n")).value == {"revision": "2026-11-01"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n\tb: 2\n", "f.yaml:2:1: a tab stands where only spaces may"),
        ("a: 1\nb: 2\na: 3\n", 'f.yaml:3:1: key "a" is here twice: first in line 1. Remove one'),
        ("", "f.yaml: the file is empty; expected a mapping"),
        ("# nothing\n", "f.yaml: the file is empty; expected a mapping"),
        ("- a\n- b\n", "f.yaml:1:1: a list stands here; expected a mapping"),
        ("hello\n", "f.yaml:1:1: a single value stands here; expected a mapping"),
        ("a: b: c\n", "f.yaml:1:5: `: ` is not allowed here"),
        ("a: [1,\nb: 2\n", "f.yaml:1:4: a bracket `[` is opened here and not closed"),
        ("x: 1\na: {b: 1\n", "f.yaml:2:4: a brace `{` is opened here and not closed"),
        ("a: 'x\nb: 1\n", "f.yaml:1:4: a quote is opened here and never closed"),
        ("a: @x\n", "f.yaml:1:4: a text that begins with this character needs quotes"),
        ("a: **bold**\n", "f.yaml:1:4: a text that begins with `*` needs quotes"),
        ("a: &\n", "f.yaml:1:5: a text that begins with `&` needs quotes"),
        ('a: "\\d"\n', "f.yaml:1:6: inside double quotes a backslash begins an escape"),
        ('a: "x" y\n', "f.yaml:1:8: the indentation does not fit the lines above, or a text goes on"),
        ("a: [\n", "f.yaml:2:1: the file ends before a bracket or a brace is closed"),
        ("a: - b\n", "f.yaml:1:4: `- ` is not allowed here"),
        ("a: |b\n", "f.yaml:1:5: after `|` or `>` a text begins on the next line"),
        ("a: *q\n", "f.yaml:1:4: a text that begins with `*` needs quotes"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here (`---`): one file holds one"),
        ("a:\n  - b\n - c\n", "f.yaml:3:2: the indentation does not fit the lines above"),
        ("a: &x [*x]\n", "f.yaml:1:4: this refers to itself"),
        ("a: !!python/object x\n", "f.yaml:1:4: the tag `python/object` is not read"),
        ("<<: {a: 1}\n", "f.yaml:1:1: `<<` (merge) is not read: write the fields out"),
        ("a: .nan\n", "f.yaml:1:4: .nan is not a number that can be kept"),
        ("1: x\n", "f.yaml:1:1: key 1 is no text: write it in quotes"),
        ("prompt: {{ input }}\n", "f.yaml:1:10: a key must be a text; put a value that begins with `{{`"),
        ("%YAML 1.1\n---\na: no\n", "f.yaml:1:1: only YAML 1.2 is read"),
        ('a: "\\ud800"\n', "f.yaml:1:4: this text holds half of a surrogate pair"),
        ("a: 1\nb: \x01\n", "f.yaml:2:4: no YAML file may hold this character"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: the file is not UTF-8 from here on: save it as UTF-8"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_place(text: str | bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_yaml(written(text))
    assert str(caught.value).startswith(message)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(InputError, match="nested too deeply"):
        load_yaml(written("a: " + "[" * 20_000 + "]" * 20_000))


def test_a_character_pasted_from_json_as_two_escapes_is_one_character() -> None:
    assert load_yaml(written('a: "\\ud83d\\ude00"\n')).value == {"a": "😀"}


def test_an_alias_is_the_value_it_refers_to() -> None:
    assert load_yaml(written("a: &x [1]\nb: *x\n")).value == {"a": [1], "b": [1]}


def test_a_few_lines_of_aliases_that_stand_for_billions_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(InputError, match="more than 100,000 values"):
        load_yaml(written("\n".join(lines) + "\n"))


def no_line_breaks_of_its_own(value: object) -> bool:
    """The YAML writer folds three rare line breaks that it should escape; what we read is not to blame."""
    return not any(character in repr(value) for character in ("\\x85", "\\u2028", "\\u2029"))


def with_plain_keys(value: Any) -> Any:
    """The YAML writer quotes and folds rare keys wrongly (`?0`, long ones with control characters): none here."""
    if isinstance(value, dict):
        return {f"key{number}": with_plain_keys(part) for number, part in enumerate(value.values())}
    if isinstance(value, str):
        return value.replace("\0", "")  # refused: no file name and no prompt may hold it
    return [with_plain_keys(part) for part in value] if isinstance(value, list) else value


written_values = st.dictionaries(texts(min_size=1), json_values(), min_size=1, max_size=4).map(with_plain_keys)


@given(written_values.filter(no_line_breaks_of_its_own))
def test_what_a_yaml_writer_writes_is_read_back_equal(value: dict[str, object]) -> None:
    path = Path("written.yaml")
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        yaml = YAML(typ="safe", pure=True)
        yaml.width = 1_000_000  # it folds long keys wrongly
        yaml.default_flow_style = False  # and writes `{key: ?0}`, which it does not read
        yaml.dump(value, stream)
    assert load_yaml(path).value == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: r\nsectoins: []\n", 'f.yaml:2:1: key "sectoins" is not known here. Did you mean "sections"? Known: '),
        ("name: 3\n", 'f.yaml:1:7: `name` is 3; expected text. Write it in quotes: "3".'),
        ("title: x\n", "f.yaml:1:1: `name` is missing here"),
        ("name:\ntitle: x\n", "f.yaml:1:1: `name` is empty; expected text."),
        ("name: r\ngates: {a: 1}\n", "f.yaml:2:8: `gates` is a mapping; expected a list."),
        ("name: r\ngates: [x]\n", 'f.yaml:2:9: `gates[0]` is "x"; expected a mapping (`name: value` lines).'),
        (
            "name: r\nsections: [gates, slcies]\n",
            'f.yaml:2:19: `sections[1]` is "slcies"; '
            "expected one of: gates, slices, cost, changed, judges, provenance. "
            'Did you mean "slices"?',
        ),
        ("name: r\ngates:\n  - {rule: at_least}\n", "f.yaml:3:5: `metric` is missing here: `TASK.METRIC`, or `*`"),
        (
            "name: r\ngates:\n  - metric: a.b\n    margin: -1\n",
            "f.yaml:4:13: `margin` is -1; expected a number of at least 0.",
        ),
        ("name: r\ngates:\n  - metric: a.b\n    margin: true\n", "f.yaml:4:13: `margin` is true; expected a number."),
        (
            "name: r\ngates:\n  - {metric: a.b, alpha: 0.7}\n",
            "f.yaml:3:26: `alpha` is 0.7; expected a number below 0.5.",
        ),
        (
            "name: r\nmax_changed: '50'\n",
            'f.yaml:2:14: `max_changed` is "50"; expected a whole number. Write it without quotes',
        ),
        (
            "name: r\ngates:\n- {metric: a.b, required: [{tags.level: 3}]}\n",
            "f.yaml:3:41: `tags.level` is 3; expected text.",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_said_with_its_place_and_mend(text: str, message: str) -> None:
    assert error_of(text).startswith(message)


def test_an_unknown_key_is_told_before_the_key_that_is_missing_for_it() -> None:
    assert error_of("nmae: r\n").startswith('f.yaml:1:1: key "nmae" is not known here. Did you mean "name"?')


def test_the_cause_is_told_and_not_what_follows_from_it() -> None:
    task = "name: t\n    kind: saftey\n    data: {file: d.jsonl}\n    scorers: [{scorer: exact, name: exact}]"
    text = f"name: s\ntasks:\n  - {task}\n"
    assert error_of(text, Suite).startswith('f.yaml:4:11: `kind` is "saftey"; expected one of: quality, safety')


def test_what_a_noun_says_of_itself_is_said_at_its_place() -> None:
    text = "name: s\ntasks:\n  - name: t\n    data: {hub: org/set}\n    scorers: [{scorer: exact, name: exact}]\n"
    assert error_of(text, Suite).startswith("f.yaml:4:11: `data`: a hub dataset needs `revision:` (a commit)")


def test_inside_a_list_that_may_be_one_text_the_wrong_entry_is_named() -> None:
    text = "name: m\nscorer: exact\nwhere: {language: [en, 3]}\n"
    assert error_of(text, MetricSpec) == 'f.yaml:3:24: `language[1]` is 3; expected text. Write it in quotes: "3".'


def test_a_day_that_is_none_is_refused_and_a_day_is_a_day() -> None:
    text = "name: c\nengine: echo\nprice: {usd_per_gpu_hour: 2.5, as_of: 2026-13-01}\n"
    assert error_of(text, Candidate) == 'f.yaml:3:39: `as_of` is "2026-13-01"; expected a day as YYYY-MM-DD.'
    parsed = load_yaml(written(text.replace("13", "11")))
    price = validate(parsed, Candidate).price
    assert price is not None
    assert price.as_of.isoformat() == "2026-11-01"


def test_a_field_that_the_loader_fills_is_not_known_in_the_file() -> None:
    with pytest.raises(InputError, match=r'f.yaml:2:1: key "digest" is not known here'):
        validate(load_yaml(written("name: s\ndigest: abc\ntasks: []\n")), Suite, filled=("digest",))


def test_a_file_under_the_working_directory_is_shown_relative_to_it(tmp_path: Path) -> None:
    path = written("a: [b\n").resolve()
    with pytest.raises(InputError) as caught:
        load_yaml(path)
    assert str(caught.value).startswith("f.yaml:1:4:")


def test_a_missing_file_and_a_folder_are_said() -> None:
    with pytest.raises(InputError, match=r'there is no file "gone\.yaml"'):
        load_yaml(Path("gone.yaml"))
    with pytest.raises(InputError, match=r'"\." is a folder; expected a file'):
        load_yaml(Path())


def test_a_byte_order_mark_and_foreign_line_ends_are_no_part_of_a_text() -> None:
    assert read_text(written(b"\xef\xbb\xbfa: 1\r\nb: 2\r")) == "a: 1\nb: 2\n"


def test_a_place_outlives_the_checks() -> None:
    parsed = load_yaml(written("a:\n  - b: 1\n    c: |\n      one\n      {{ two }}\n"))
    assert str(parsed.place("a", 0, "b")) == "f.yaml:2:8"
    assert str(parsed.key_place("a", 0, "c")) == "f.yaml:3:5"
    assert str(parsed.place("a", 0, "options", "b")) == "f.yaml:2:8"
    assert str(parsed.place_of_text("{{ two }}", "a", 0, "c")) == "f.yaml:5:7"
    assert str(parsed.place()) == "f.yaml:1:1"
