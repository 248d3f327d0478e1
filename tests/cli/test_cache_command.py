"""`evalkit cache`: what is kept, and taking it out; wrong values are refused in one sentence."""

from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from evalkit.cli.cache_options import usual_cache
from evalkit.store.cache import ResponseCache


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of two models, which the environment names."""
    with ResponseCache(tmp_path / "kept") as cache:
        for number in range(1200):
            cache.put(number.to_bytes(16, "big"), b"x" * 1000, model="vllm:new" if number < 1000 else "vllm:a\x1b[2J")
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_the_statistics_name_models_and_sizes(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("cache", ["stats"]) == 0
    said = capsys.readouterr().out
    assert "vllm:new" in said and "1,000" in said and "1.0 MB" in said and f"1,200 answers, 1.7 MB in {kept}" in said
    assert "\x1b" not in said


def test_pruning_says_what_was_freed(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("cache", ["prune", "--older-than", "30d"]) == 0
    assert capsys.readouterr().out.startswith("0 answers removed")
    assert run_command("cache", ["prune", "--max-size", "1MB"]) == 0
    said = capsys.readouterr().out
    assert "KB freed;" in said and "answers removed" in said
    assert sum(file.stat().st_size for file in kept.iterdir()) <= 1_000_000
    assert run_command("cache", ["prune", "--model", "vllm:new"]) == 0
    assert "; 200 answers, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what to remove: --older-than 30d, --max-size 5GB or --model NAME"),
        (("--older-than", "30"), '--older-than "30": expected days or weeks, from 1d, e.g. 30d or 8w'),
        (("--older-than", "0d"), '--older-than "0d"'),
        (("--older-than", "999999w"), '--older-than "999999w"'),
        (("--max-size", "5"), '--max-size "5": expected KB, MB, GB or TB, e.g. 500MB or 5GB'),
        (("--max-size", "-5GB"), '--max-size "-5GB"'),
        (("--max-size", "5GB", "--model", "vllm:new"), "--max-size is that of the whole cache"),
        (("--model", "vllm:nwe"), 'Did you mean "vllm:new"?'),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(
    kept: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert run_command("cache", ["prune", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and words in said.err


def test_a_cache_that_is_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["stats"], ["prune", "--max-size", "1GB"]):
        assert run_command("cache", [*arguments, "--cache", str(tmp_path / "kept")]) == 0
        assert "no answers are kept in" in capsys.readouterr().out
    assert not (tmp_path / "kept").exists()
    monkeypatch.setenv("EVALKIT_CACHE", "off")
    assert run_command("cache", ["stats"]) == 2
    assert "name its folder with --cache" in capsys.readouterr().err


def test_two_flags_that_contradict_each_other_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("run", ["quickstart", "--candidate", "echo", "--cache", "kept", "--no-cache"]) == 2
    assert "leave one of them out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "platform", "folder"),
    [
        ({"HOME": "/home/ann"}, "linux", "/home/ann/.cache/evalkit"),
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": "/cache"}, "linux", "/cache/evalkit"),
        ({"HOME": "/home/ann", "XDG_CACHE_HOME": "relative"}, "linux", "/home/ann/.cache/evalkit"),
        ({"HOME": "/Users/ann"}, "darwin", "/Users/ann/Library/Caches/evalkit"),
        ({"HOME": "/home/ann", "EVALKIT_CACHE": "/kept"}, "linux", "/kept"),
        ({"HOME": "/home/ann", "EVALKIT_CACHE": ""}, "linux", "/home/ann/.cache/evalkit"),
        ({"HOME": "/home/ann", "EVALKIT_CACHE": "Off"}, "linux", None),
    ],
)
def test_the_folder_is_the_environments_or_the_users(
    environment: dict[str, str], platform: str, folder: str | None
) -> None:
    assert usual_cache(environment, platform) == (None if folder is None else Path(folder))
