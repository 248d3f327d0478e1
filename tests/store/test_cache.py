"""Answers kept for later runs: they come back as they were put, whoever writes at the same time and whatever breaks."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.store.cache import COMPRESS_FROM_BYTES, FLUSH_RECORDS, ResponseCache
from evalkit.store.cache_file import FILE_NAME, SCHEMA

MANY = FLUSH_RECORDS * 3


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def answer(number: int) -> bytes:
    return b'{"text":"answer %d"}' % number * 5


def fill(folder: Path, n: int = MANY) -> Path:
    """A cache of n answers; its file."""
    with ResponseCache(folder) as cache:
        for number in range(n):
            cache.put(key(number), answer(number), model="m")
    return folder / FILE_NAME


def whole(file: Path) -> int:
    """How many answers a file holds, after SQLite has checked all of it."""
    connection = sqlite3.connect(file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
    finally:
        connection.close()


def edit(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@given(st.dictionaries(st.binary(min_size=16, max_size=16), st.binary(max_size=200), max_size=20), st.integers(0, 9000))
def test_what_was_put_comes_back_before_and_after_it_is_written(answers: dict[bytes, bytes], length: int) -> None:
    answers = answers | {key(1): b"long " * length}
    with tempfile.TemporaryDirectory() as folder:
        with ResponseCache(Path(folder)) as cache:
            for each, value in answers.items():
                cache.put(each, value, model="m")
            assert {each: cache.get(each) for each in answers} == answers
        with ResponseCache(Path(folder)) as cache:
            assert {each: cache.get(each) for each in answers} == answers
            assert cache.get(key(2)) == answers.get(key(2))


def test_a_long_answer_takes_less_room_than_it_is_long(tmp_path: Path) -> None:
    with ResponseCache(tmp_path) as cache:
        cache.put(key(1), b"word " * COMPRESS_FROM_BYTES, model="m")
    assert (tmp_path / FILE_NAME).stat().st_size < 5 * COMPRESS_FROM_BYTES + 30_000
    with ResponseCache(tmp_path) as cache:
        assert cache.get(key(1)) == b"word " * COMPRESS_FROM_BYTES


def test_the_first_answer_stays(tmp_path: Path) -> None:
    with ResponseCache(tmp_path) as first, ResponseCache(tmp_path) as second:
        first.put(key(1), b"first", model="m")
        first.flush()
        second.put(key(1), b"second", model="m")
        second.flush()
        assert first.get(key(1)) == b"first"


def test_nothing_is_made_before_the_first_question(tmp_path: Path) -> None:
    ResponseCache(tmp_path / "kept").close()
    assert not (tmp_path / "kept").exists()


def test_folder_and_files_are_their_owners_alone(tmp_path: Path) -> None:
    with ResponseCache(tmp_path / "a" / "kept") as cache:
        cache.put(key(1), b"text", model="m")
        cache.flush()
        assert stat.S_IMODE((tmp_path / "a" / "kept").stat().st_mode) == 0o700
        files = list((tmp_path / "a" / "kept").iterdir())
        assert {file.name for file in files} >= {FILE_NAME, f"{FILE_NAME}-wal"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


WRITER = """\
import sys
from pathlib import Path
from evalkit.store.cache import ResponseCache
from tests.store.test_cache import answer, key

folder, first, n = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with ResponseCache(folder, lambda sentence: sys.exit(sentence)) as cache:
    for number in range(first, first + n):
        cache.put(key(number), answer(number), model=f"m{first}")
        for other in (number - 300, number - 5, number + 300):
            found = cache.get(key(other)) if other > 0 else None
            assert found in (None, answer(other)), found
        if number % 200 == 199:
            cache.flush()
            print(number, flush=True)
"""


def writer(folder: Path, first: int, n: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(first), str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=os.getcwd())


def test_many_processes_write_and_read_the_same_cache_at_once(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    # Half of what each writes another one writes too, and all of them make the file.
    writers = [writer(tmp_path, first, 2000) for first in (0, 1000, 2000, 3000, 3000)]
    for process in writers:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert whole(tmp_path / FILE_NAME) == 5000
    with ResponseCache(tmp_path) as cache:
        assert all(cache.get(key(number)) == answer(number) for number in range(5000))


def test_a_kill_loses_only_what_was_not_written_yet(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    for turn in range(3):
        process = writer(tmp_path, turn * 1_000_000, 1_000_000)
        assert process.stdout is not None
        written = [int(process.stdout.readline()) for _ in range(10 + 7 * turn)][-1]
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        first = turn * 1_000_000
        with ResponseCache(tmp_path) as cache:
            assert all(cache.get(key(number)) == answer(number) for number in range(first, written + 1))
        assert whole(tmp_path / FILE_NAME) > 0


@pytest.mark.parametrize("damage", ["text", "cut", "holes"])
def test_a_damaged_file_is_said_once_and_gives_no_wrong_answer(tmp_path: Path, damage: str) -> None:
    file = fill(tmp_path)
    content = bytearray(file.read_bytes())
    if damage == "text":
        content[:] = b"Once upon a time " * 2000
    elif damage == "cut":
        del content[len(content) // 3 :]
    else:
        for start in range(4096, len(content) - 600, 4096):
            content[start : start + 512] = b"\xff" * 512
    file.write_bytes(content)
    said: list[str] = []
    with ResponseCache(tmp_path, said.append) as cache:
        for number in range(MANY):
            assert cache.get(key(number)) in (None, answer(number))
            cache.put(key(MANY + number), b"new", model="m")
    assert len(said) == 1
    assert str(file) in said[0] and f"rm {file}*" in said[0] and "goes on without it" in said[0]


def test_an_answer_that_changed_on_the_disk_is_not_given(tmp_path: Path) -> None:
    file = fill(tmp_path)
    edit(file, "UPDATE answers SET value = replace(value, CAST('answer 7' AS BLOB), CAST('answer 9' AS BLOB))")
    said: list[str] = []
    with ResponseCache(tmp_path, said.append) as cache:
        assert cache.get(key(7)) is None
    assert "is damaged" in said[0]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ((f"PRAGMA user_version = {SCHEMA + 1}",), "made by a newer evalkit"),
        (("PRAGMA application_id = 7",), "no cache of evalkit's"),
    ],
)
def test_a_file_that_is_not_ours_is_left_as_it_is(tmp_path: Path, statements: tuple[str, ...], words: str) -> None:
    file = fill(tmp_path)
    edit(file, *statements)
    before = file.read_bytes()
    said: list[str] = []
    with ResponseCache(tmp_path, said.append) as cache:
        cache.put(key(MANY), b"new", model="m")
        assert cache.get(key(1)) is None
    assert file.read_bytes() == before
    assert len(said) == 1 and words in said[0] and "--cache" in said[0]


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    with ResponseCache(tmp_path / "file" / "kept", said.append) as cache:
        for number in range(3):
            cache.put(key(number), b"text", model="m")
            assert cache.get(key(number)) is None
    assert len(said) == 1 and "goes on without it" in said[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_said_once(tmp_path: Path) -> None:
    for folder in (tmp_path / "new", tmp_path / "used"):
        folder.mkdir()
    fill(tmp_path / "used")
    for folder in (tmp_path / "new", tmp_path / "used"):
        folder.chmod(0o500)
        said: list[str] = []
        with ResponseCache(folder, said.append) as cache:
            cache.put(key(MANY), b"text", model="m")
            assert cache.get(key(1)) in (None, answer(1))
        assert len(said) == 1 and "--cache" in said[0]
        folder.chmod(0o700)


def test_a_lock_held_too_long_costs_what_would_be_kept_and_no_more(tmp_path: Path) -> None:
    file = fill(tmp_path)
    said: list[str] = []
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with ResponseCache(tmp_path, said.append, lock_wait_s=0.05) as cache:
        for number in range(10):
            cache.put(key(MANY + number), b"new", model="m")
            assert cache.get(key(MANY + number)) == b"new"
            assert cache.get(key(number)) == answer(number)
    assert len(said) == 1 and "10 answers of this run are not kept" in said[0] and "goes on" in said[0]
    holder.execute("ROLLBACK")
    holder.close()
    assert whole(file) == MANY


def test_what_waits_for_a_lock_is_written_when_it_is_free(tmp_path: Path) -> None:
    file = fill(tmp_path)
    said: list[str] = []
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with ResponseCache(tmp_path, said.append) as cache:
        for number in range(10):
            cache.put(key(MANY + number), b"new", model="m")
        holder.execute("ROLLBACK")
        holder.close()
    assert said == []
    assert whole(file) == MANY + 10


FULL = """\
import resource, sys
from pathlib import Path
from evalkit.store.cache import ResponseCache
from tests.store.test_cache import MANY, answer, key

said = []
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
with ResponseCache(Path(sys.argv[1]), said.append) as cache:
    for number in range(MANY, 4 * MANY):
        cache.put(key(number), answer(number) * 5, model="m")
    assert all(cache.get(key(number)) == answer(number) for number in range(MANY))
print(*said, sep="\\n")
"""


def test_where_the_disk_takes_no_more_what_is_there_is_still_found(tmp_path: Path, repository: Path) -> None:
    file = fill(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=repository, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()) == 1
    assert "The run goes on." in done.stdout
    assert whole(file) >= MANY


def test_a_cache_that_rests_holds_no_file_open_and_goes_on(tmp_path: Path) -> None:
    with ResponseCache(tmp_path) as cache:
        cache.put(key(1), b"text", model="m")
        cache.rest()
        assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
        assert cache.get(key(1)) == b"text"
        cache.put(key(2), b"more", model="m")
    assert whole(tmp_path / FILE_NAME) == 2
