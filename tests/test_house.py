"""The house: versions agree, pins are whole, the wheel carries what ships, and a bare machine is told what it lacks."""

import gzip
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from evalkit import __version__
from tests.engines_here import HAS_VLLM


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pins(repository: Path) -> dict[str, str]:
    """Package -> pinned version, by normalised name."""
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normalised(name): pinned for name, pinned in pairs}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(project: dict[str, Any]) -> list[Requirement]:
    extras = project["project"]["optional-dependencies"]
    lists = [project["project"]["dependencies"], extras["test"], extras["cpu"] if HAS_VLLM else []]
    return [Requirement(text) for texts in lists for text in texts]


def test_the_version_is_the_same_everywhere(repository: Path, project: dict[str, Any]) -> None:
    citation = (repository / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert project["project"]["version"] == __version__
    assert f"version: {__version__}\n" in citation
    assert f"## [{__version__}]" in changelog


def test_every_declared_package_is_pinned_within_its_bounds(project: dict[str, Any], pins: dict[str, str]) -> None:
    for requirement in declared(project):
        pinned = pins.get(normalised(requirement.name))
        assert pinned is not None, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(pinned), f"{requirement} does not allow {pinned}"


def test_what_the_packages_need_is_pinned_too(project: dict[str, Any], pins: dict[str, str]) -> None:
    waiting, seen = declared(project), set()
    while waiting:
        requirement = waiting.pop()
        name = normalised(requirement.name)
        assert name in pins, f"{requirement} is needed and not in constraints.txt: make constraints"
        for extra in requirement.extras or {""}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                needed = [Requirement(text) for text in _requires(requirement.name)]
                waiting += [r for r in needed if r.marker is None or r.marker.evaluate({"extra": extra})]


TAKEN_OUT_AGAIN = ("torchaudio", "torchcodec", "torchvision")
"""Pinned and installed for a moment, because vLLM's requirements name them: .ci/make-venv."""


def _requires(name: str) -> list[str]:
    return [] if normalised(name) in TAKEN_OUT_AGAIN else requires(name) or []


def test_the_tests_run_with_what_is_pinned(project: dict[str, Any], pins: dict[str, str]) -> None:
    moved = [r.name for r in declared(project) if version(r.name).removesuffix("+cpu") != pins[normalised(r.name)]]
    assert moved == [], "run make test, or make constraints"


def test_a_wheel_carries_the_content_and_the_types(repository: Path, tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=repository, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        carried = set(wheel.namelist())
    shipped = {
        f"evalkit/_content/{path.relative_to(repository)}"
        for folder in ("suites", "judges", "reports")
        for path in (repository / folder).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert shipped <= carried
    assert "evalkit/py.typed" in carried
    assert {name.split("/")[0] for name in carried} == {"evalkit", f"evalkit-{__version__}.dist-info"}
    assert not [name for name in carried if name.startswith("evalkit/_content") and name.endswith(".py")]


def test_the_quickstart_data_is_what_its_script_writes(repository: Path, tmp_path: Path) -> None:
    folder = repository / "suites" / "quickstart"
    subprocess.run([sys.executable, "-B", folder / "make.py", tmp_path], check=True, timeout=60)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["answers.jsonl", "questions.jsonl", "requests.jsonl"]
    for name in written:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def make_venv(repository: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script that makes .venv, in an otherwise empty clone."""
    (folder / ".ci").mkdir()
    script = folder / ".ci" / "make-venv"
    script.write_bytes((repository / ".ci" / "make-venv").read_bytes())
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).write_bytes((repository / name).read_bytes())
    return subprocess.run(
        ["bash", script], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def fake_python(folder: Path, body: str) -> str:
    """An interpreter that answers as another machine's would."""
    path = folder / "python-of-another-machine"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in ("evalkit: ", *words):
        assert word in done.stderr


def test_a_python_that_is_too_old_is_named_in_one_sentence(repository: Path, tmp_path: Path) -> None:
    old = fake_python(tmp_path, 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    assert_one_sentence(make_venv(repository, tmp_path, PYTHON=old), "Python 3.9.2", "3.11 or newer", "install")


def test_a_missing_venv_module_is_named_in_one_sentence(repository: Path, tmp_path: Path) -> None:
    bare = fake_python(tmp_path, f'case "$2" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac')
    assert_one_sentence(make_venv(repository, tmp_path, PYTHON=bare), "venv module", "apt-get install python3-venv")


def test_a_python_that_is_not_there_is_named_in_one_sentence(repository: Path, tmp_path: Path) -> None:
    assert_one_sentence(make_venv(repository, tmp_path, PYTHON="/nowhere/python3"), "/nowhere/python3", "not found")


@pytest.mark.slow
def test_no_network_is_named_in_one_sentence(repository: Path, tmp_path: Path) -> None:
    # A port on this machine where nothing listens, and no other place to find packages.
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    done = make_venv(repository, tmp_path, PYTHON=sys.executable, PIP_RETRIES="0", ENGINE="none", **nowhere)
    assert_one_sentence(done, "package index cannot be reached", "run make again")


def test_an_engine_that_is_none_is_named_in_one_sentence(repository: Path, tmp_path: Path) -> None:
    done = make_venv(repository, tmp_path, PYTHON=sys.executable, ENGINE="vlm")
    assert_one_sentence(done, "ENGINE=vlm", "vllm, transformers or none")


@pytest.mark.slow
def test_a_disk_that_is_too_small_is_named_in_one_sentence(repository: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "df").write_text("#!/bin/sh\necho head\necho /dev/x 9 9 1048576 9% /\n", encoding="utf-8")
    (tools / "df").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    done = make_venv(repository, tmp_path, PYTHON=sys.executable, ENGINE="vllm", PATH=path)
    assert_one_sentence(done, "1 GB of disk are free", "about 5", "ENGINE=none")


def test_the_demo_s_data_is_what_its_script_writes(repository: Path, tmp_path: Path) -> None:
    folders = {tmp_path / "suite": repository / "suites/demo", tmp_path / "judge": repository / "judges/demo"}
    subprocess.run([sys.executable, "-B", repository / "suites/demo/make.py", *folders], check=True, timeout=60)
    for new, kept in folders.items():
        written = [path.relative_to(new) for path in new.rglob("*") if path.is_file()]
        assert written
        for name in written:
            opened = gzip.decompress if name.suffix == ".gz" else bytes  # packed as this zlib packs
            assert opened((new / name).read_bytes()) == opened((kept / name).read_bytes()), name


@pytest.mark.parametrize("model", ["suites/demo/models/v1", "suites/demo/models/v2", "judges/demo/model"])
def test_a_model_that_ships_is_small_and_has_its_card(repository: Path, model: str) -> None:
    files = {path.name: path.stat().st_size for path in (repository / model).iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= files.keys()
    assert sum(files.values()) < 4_000_000
    config = json.loads((repository / model / "config.json").read_text(encoding="utf-8"))
    assert config["max_position_embeddings"] == 2048


def test_the_command_of_the_security_page_deletes_a_sample_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    page = (repository / "SECURITY.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"<<'PY'\n(.*?)\nPY\n", page, flags=re.DOTALL)
    kept, gone = {"key": {"task": "t", "sample_id": "kept"}}, {"key": {"task": "t", "sample_id": "gone"}}
    files = {
        "a/samples.jsonl": [{"task": "t", "sample": {"id": "gone"}}, {"task": "t", "sample": {"id": "kept"}}],
        "a/responses.jsonl": [kept, gone, kept],
        "b/judging/tone/0123456789abcdef/responses.jsonl": [gone, kept],
        "b/log.jsonl": [{"at": "2026-11-20T00:00:00+00:00", "event": "complete"}],
    }
    for name, rows in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with (tmp_path / "a/responses.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"key": {"task": "t", "sample_id": "go')  # torn by a kill: goes too
    subprocess.run([sys.executable, "-c", program, str(tmp_path), "gone"], check=True, timeout=60)
    for name, rows in files.items():
        left = [row for row in rows if "gone" not in json.dumps(row)]
        assert [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()] == left
        assert name == "b/log.jsonl" or stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert not list(tmp_path.rglob("*.part"))


def test_continuous_integration_calls_make_test(repository: Path) -> None:
    script = repository / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert "exec make test" in script.read_text(encoding="utf-8")
