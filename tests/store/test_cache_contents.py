"""What the cache holds, and taking parts of it out."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from evalkit.core.errors import InputError
from evalkit.store.cache import ResponseCache, today
from evalkit.store.cache_contents import Pruning, contents, date_of, is_there, prune
from evalkit.store.cache_file import FILE_NAME
from tests.store.test_cache import whole, writer

TODAY = date_of(today())


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Answers 0 to 9 of `old`, last used 100 days ago, and 10 to 29 of `new`, used today; 1,000 bytes each."""
    with ResponseCache(tmp_path) as cache:
        for number in range(30):
            cache.put(key(number), bytes([number]) * 1000, model="old" if number < 10 else "new")
    connection = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    connection.execute("UPDATE answers SET made_day = ?, used_day = ? WHERE id <= 10", (today() - 200, today() - 100))
    connection.close()
    return tmp_path


def left(folder: Path) -> list[int]:
    with ResponseCache(folder) as cache:
        return [number for number in range(30) if cache.get(key(number)) is not None]


def test_the_contents_are_told_by_model(folder: Path) -> None:
    found = contents(folder)
    assert found.entries == 30
    assert found.file_bytes == (folder / FILE_NAME).stat().st_size
    assert [(m.model, m.entries, m.value_bytes) for m in found.models] == [("new", 20, 20_100), ("old", 10, 10_050)]
    assert found.models[0].first_made == found.models[0].last_used == TODAY
    assert found.models[1].first_made == TODAY - timedelta(days=200)
    assert found.models[1].last_used == TODAY - timedelta(days=100)


def test_what_was_not_used_for_so_long_is_removed(folder: Path) -> None:
    freed = prune(folder, Pruning(used_before=TODAY - timedelta(days=100)))
    assert freed.entries == 0
    freed = prune(folder, Pruning(used_before=TODAY - timedelta(days=99)))
    assert (freed.entries, freed.problem) == (10, "")
    assert freed.freed_bytes > 0
    assert left(folder) == list(range(10, 30))


def test_what_was_found_today_was_used_today(folder: Path) -> None:
    with ResponseCache(folder) as cache:
        assert cache.get(key(3)) is not None
    assert prune(folder, Pruning(used_before=TODAY)).entries == 9
    assert left(folder) == [3, *range(10, 30)]


def test_the_least_recently_used_goes_first_when_the_file_is_too_large(folder: Path) -> None:
    most = contents(folder).file_bytes - 5_000
    freed = prune(folder, Pruning(most_bytes=most))
    assert 0 < freed.entries <= 10
    assert contents(folder).file_bytes <= most
    assert set(range(10, 30)) <= set(left(folder))
    assert prune(folder, Pruning(most_bytes=most)).entries == 0
    assert prune(folder, Pruning(most_bytes=0)).entries == 30 - freed.entries
    assert left(folder) == []


def test_one_models_answers_are_removed_alone(folder: Path) -> None:
    assert prune(folder, Pruning(model="new", used_before=TODAY)).entries == 0
    assert prune(folder, Pruning(model="new")).entries == 20
    assert left(folder) == list(range(10))
    with pytest.raises(InputError, match=r'--model "nwe" is not known\. .*Known: old\.'):
        prune(folder, Pruning(model="nwe"))


def test_a_run_that_is_going_on_reads_and_writes_through_a_pruning(folder: Path) -> None:
    said: list[str] = []
    with ResponseCache(folder, said.append) as cache:
        assert cache.get(key(1)) is not None
        cache.put(key(100), b"before", model="third")
        assert prune(folder, Pruning(model="old")).entries == 10
        assert cache.get(key(1)) is None
        assert cache.get(key(10)) is not None
        cache.put(key(101), b"after", model="third")
        cache.put(key(1), b"again", model="old")
    assert said == []
    assert {model.model: model.entries for model in contents(folder).models} == {"new": 20, "third": 2, "old": 1}


def test_a_file_that_cannot_be_used_is_said_with_the_mend(folder: Path) -> None:
    (folder / FILE_NAME).write_bytes(b"Once upon a time " * 2000)
    for look in (lambda: contents(folder), lambda: prune(folder, Pruning(most_bytes=0))):
        with pytest.raises(InputError, match=r"not a database\. Delete it \(rm "):
            look()


def test_processes_that_write_and_a_pruning_do_not_disturb_each_other(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    writers = [writer(tmp_path, first, 6000) for first in (0, 10_000)]
    while any(process.poll() is None for process in writers):
        if is_there(tmp_path):
            prune(tmp_path, Pruning(most_bytes=200_000))
    for process in writers:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert whole(tmp_path / FILE_NAME) == contents(tmp_path).entries > 0
