import errno
import os
import stat
from pathlib import Path

import pytest

from evalkit.core.errors import InputError
from evalkit.store.disk import disk_error, make_private_folder, read_document, replace_file, write_document


def test_a_document_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    for text in ("old " * 1000, "ново\u2028\ud800 {new}"):
        write_document(path, {"schema": "x/1", "text": text})
    assert read_document(path) == {"schema": "x/1", "text": "ново\u2028\ud800 {new}"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["manifest.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_replacement_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "summary.json"
    (folder / "in the way").mkdir(parents=True)
    with pytest.raises(InputError, match=r"summary\.json: cannot be written"):
        replace_file(folder, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1,\n  "b": }', r"manifest\.json:2:8: not JSON"),
        (b'{"a": "\xff"}', "not UTF-8: byte 8 is 0xff"),
        (b"[]", "1:1: not a JSON object"),
    ],
)
def test_a_document_that_is_none_is_an_error_with_its_place(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_document(path)


def test_a_document_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        read_document(Path("nowhere/manifest.json"))


@pytest.mark.parametrize(
    ("code", "mend"),
    [(errno.ENOSPC, "Make room"), (errno.EACCES, "access"), (errno.EROFS, "read-only"), (errno.EDQUOT, "quota")],
)
def test_what_the_disk_refuses_is_said_with_file_and_mend(code: int, mend: str) -> None:
    error = disk_error(OSError(code, os.strerror(code)), Path("runs/a/scores.jsonl"), "written")
    assert str(error).startswith(f"runs/a/scores.jsonl: cannot be written: {os.strerror(code)}. ")
    assert mend in str(error)
    assert error.exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_told_with_its_mend(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=r"Permission denied\. Give this user access"):
        make_private_folder(tmp_path / "runs" / "a")


def test_a_folder_that_is_there_keeps_its_mode_and_new_ones_are_private(tmp_path: Path) -> None:
    shared = tmp_path / "runs"
    shared.mkdir(mode=0o755)
    make_private_folder(shared / "a" / "b")
    modes = [stat.S_IMODE(folder.stat().st_mode) for folder in (shared, shared / "a", shared / "a" / "b")]
    assert modes == [0o755, 0o700, 0o700]
