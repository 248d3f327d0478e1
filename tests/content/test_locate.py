"""Content lies at a path, in the working directory, in plugins or in what ships; data beside its YAML or in --data."""

import importlib.metadata
from pathlib import Path

import pytest

from evalkit.content import locate
from evalkit.content.locate import content_folders, find, find_data, list_content, shipped_folder, shown
from evalkit.core.errors import InputError, Place


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(path: str, text: str = "name: x\n") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_name_is_found_in_the_working_directory() -> None:
    file = put("suites/support/suite.yaml")
    assert find("suites", "support") == file
    put("candidates/llama-new.yaml")
    assert find("candidates", "llama-new") == Path("candidates/llama-new.yaml")


def test_a_folder_and_a_file_are_found_by_path() -> None:
    file = put("evals/support/suite.yaml")
    assert find("suites", "evals/support") == file
    assert find("suites", "evals/support/suite.yaml") == file
    assert find("suites", file.parent.resolve()) == file.resolve()


def test_a_folder_given_beside_wins_over_the_working_directory() -> None:
    put("judges/refusal/judge.yaml")
    nearer = put("suites/s/judges/refusal/judge.yaml")
    assert find("judges", "refusal", [Path("suites/s/judges")]) == nearer
    assert list_content("judges", [Path("suites/s/judges")])["refusal"] == nearer


def test_an_unknown_name_is_said_with_the_nearest_and_the_place_that_asked() -> None:
    put("judges/refusal/judge.yaml")
    with pytest.raises(InputError) as caught:
        find("judges", "refusl", place=Place("suite.yaml", 4, 9))
    assert str(caught.value).startswith('suite.yaml:4:9: judge "refusl" is not known. Did you mean "refusal"?')


def test_a_path_that_is_not_there_is_said_with_the_name_that_was_probably_meant() -> None:
    put("suites/support/suite.yaml")
    with pytest.raises(InputError, match=r'no file or folder "suites/suport"\. Did you mean the suite "support"\?'):
        find("suites", "suites/suport")
    with pytest.raises(InputError, match=r'no file or folder "suites/suport/suite.yaml"\. Did you mean the suite'):
        find("suites", "suites/suport/suite.yaml")
    Path("empty/one").mkdir(parents=True)
    with pytest.raises(InputError, match=r'folder "empty/one" holds no suite\.yaml'):
        find("suites", "empty/one")


def test_in_a_clone_the_shipped_content_is_the_repositorys(repository: Path) -> None:
    assert shipped_folder("suites") == repository / "suites"


def test_in_a_wheel_the_shipped_content_is_inside_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put("site/evalkit/_content/suites/demo/suite.yaml")
    monkeypatch.setattr(locate, "_PACKAGE", tmp_path / "site/evalkit")
    assert find("suites", "demo") == tmp_path / "site/evalkit/_content/suites/demo/suite.yaml"


def test_a_plugins_content_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put("site/my_evals/__init__.py", "raise AssertionError('content is found without importing its package')\n")
    put("site/my_evals/suites/theirs/suite.yaml")
    metadata = put("site/my_evals-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: my_evals\nVersion: 1.0\n")
    put(f"{metadata.parent}/entry_points.txt", "[evalkit.content]\nmine = my_evals\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert [entry.name for entry in importlib.metadata.entry_points(group="evalkit.content")] == ["mine"]
    assert find("suites", "theirs") == tmp_path / "site/my_evals/suites/theirs/suite.yaml"


def test_a_folder_that_is_searched_twice_is_given_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    assert list(content_folders("suites", [repository / "suites"])) == [repository / "suites"]


def test_data_lies_beside_its_yaml_or_in_a_data_folder() -> None:
    put("suites/s/data/a.jsonl")
    put("elsewhere/data/a.jsonl")
    put("elsewhere/xstest/items.jsonl")
    assert find_data("data/a.jsonl", Path("suites/s"), [Path("elsewhere")]) == Path("suites/s/data/a.jsonl")
    assert find_data("xstest/items.jsonl", Path("suites/s"), [Path("elsewhere")]) == Path(
        "elsewhere/xstest/items.jsonl"
    )
    absolute = Path("elsewhere/xstest/items.jsonl").resolve()
    assert find_data(str(absolute), Path("suites/s")) == absolute


def test_data_that_is_nowhere_is_said_with_the_folders_and_the_nearest_file() -> None:
    put("suites/s/data/support.jsonl.gz")
    with pytest.raises(InputError) as caught:
        find_data("data/support.jsonl", Path("suites/s").resolve(), [Path("more")], Place("suite.yaml", 3, 11))
    assert str(caught.value) == (
        'suite.yaml:3:11: data file "data/support.jsonl" is not in "suites/s" or in "more". '
        'Did you mean "data/support.jsonl.gz"? Put it there, or name its folder with `--data FOLDER`.'
    )


def test_a_card_is_found_by_its_judge_and_digest() -> None:
    put("cards/refusal/abc123.json")
    assert find("cards", "refusal/abc123") == Path("cards/refusal/abc123.json")
    with pytest.raises(InputError, match=r'card "refusal/abc124" is not known\. Did you mean "refusal/abc123"'):
        find("cards", "refusal/abc124")


def test_a_path_outside_the_working_directory_stays_as_it_was_given(tmp_path: Path) -> None:
    assert shown(tmp_path / "a/b.yaml") == Path("a/b.yaml")
    assert shown(Path("/etc/hosts")) == Path("/etc/hosts")
    assert shown("../b.yaml") == Path("../b.yaml")
