import json
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.candidate import Candidate, Price
from evalkit.core.errors import InputError
from evalkit.core.manifest import RunManifest
from evalkit.core.suite import DataSource, ScorerSpec, Suite, Task
from evalkit.store.records import RecordWriter
from evalkit.store.rundir import RunDirectory, list_runs, new_run_id, quoted_name, read_manifest

BEGUN = datetime(2026, 11, 20, 23, 15, 2, tzinfo=UTC)


def manifest(run_id: str = "a", started_at: datetime = BEGUN) -> RunManifest:
    task = Task(name="t", data=DataSource(file="d.jsonl"), scorers=(ScorerSpec(scorer="exact", name="exact"),))
    return RunManifest(
        run_id=run_id,
        status="running",
        suite=Suite(name="s", tasks=(task,)),
        candidate=Candidate(name="c", engine="echo", price=Price(usd_per_gpu_hour=2.5, as_of=BEGUN.date())),
        system="c",
        started_at=started_at,
    )


def test_a_run_is_made_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "runs" / "a", manifest())
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in run.path.iterdir()} == {0o600}
    assert RunDirectory.open(run.path).manifest == manifest()
    assert json.loads((run.path / "manifest.json").read_text())["schema"] == "evalkit.run/1"


def test_the_status_is_replaced_for_whoever_reads(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    run.write_manifest(manifest().model_copy(update={"status": "complete"}))
    assert run.manifest.status == read_manifest(run.path).status == "complete"


def test_a_run_is_not_made_over_another(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path / "a", manifest())
    with pytest.raises(InputError, match=r"a: is there already.*--resume"):
        RunDirectory.create(tmp_path / "a", manifest())
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is there already"):
        RunDirectory.create(tmp_path / "file", manifest())


def test_a_folder_killed_before_its_manifest_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "lock").touch()
    (tmp_path / "a" / ".manifest.json.123.part").write_text("{")
    assert RunDirectory.create(tmp_path / "a", manifest()).manifest == manifest()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "evalkit.run/2"}, r'"evalkit\.run/2"; this evalkit reads up to "evalkit\.run/1"'),
        ({"schema": "evalkit.card/1"}, r'"evalkit\.card/1"; expected "evalkit\.run/1"'),
        ({"schema": "evalkit.run/one"}, r'"evalkit\.run/one"; expected'),
        ({"schema": None}, r"names no `schema`"),
        ({"status": "resting"}, r"`status`: Input should be 'running'"),
        ({"suite": None}, r"`suite`: "),
    ],
)
def test_a_manifest_that_cannot_be_read_says_why(tmp_path: Path, change: dict[str, object], words: str) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    file = run.path / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(InputError, match=rf"manifest\.json: .*{words}"):
        RunDirectory.open(run.path)


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no run: it has no manifest\.json"):
        RunDirectory.open(tmp_path)


def test_a_second_writer_is_refused_by_the_first_ones_pid(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    me = os.getpid()
    with run.lock(), pytest.raises(InputError, match=rf"written by process {me}\..*kill {me}"), run.lock():
        pass
    with run.lock():
        pass


HOLD = """
import sys, time
from pathlib import Path
from evalkit.store.lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_gives_its_lock_back(tmp_path: Path, repository: Path) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    command = [sys.executable, "-c", HOLD, str(run.path / "lock")]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(InputError, match=rf"process {process.pid}"), run.lock():
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with run.lock():
        pass


def test_torn_lines_are_cut_in_all_files_and_logged(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    files = (run.responses, run.scores, run.judging("gpt-4/Swap", "d" * 32).responses)
    for file in files:
        with RecordWriter(file) as writer:
            writer.append({"whole": 1})
    for file in files[1:]:
        with file.open("ab") as stream:
            stream.write(b'{"torn')
    with run.lock():
        assert run.mend() == {"scores.jsonl": 6, "judging/gpt-4%2FSwap/dddddddddddddddd/responses.jsonl": 6}
        assert run.mend() == {}
    logged = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    assert [(line["event"], line["bytes"]) for line in logged] == [("torn_line_cut", 6)] * 2


def test_what_a_killed_process_left_of_a_document_is_deleted(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    left = run.path / ".manifest.json.123.part"
    left.write_text("{")
    with run.lock():
        assert run.mend() == {}
    assert not left.exists()
    assert RunDirectory.open(run.path).manifest == manifest()


def test_the_log_says_what_happened_and_when(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a", manifest())
    run.log("pass_begun", name="generate", file=Path("x"), samples=3)
    (line,) = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    assert datetime.fromisoformat(line.pop("at")).utcoffset() == timedelta(0)
    assert line == {"event": "pass_begun", "name": "generate", "file": "x", "samples": 3}


def test_runs_are_listed_latest_first_and_unreadable_ones_with_their_problem(tmp_path: Path) -> None:
    for name, days in (("first", 0), ("last", 2), ("middle", 1)):
        RunDirectory.create(tmp_path / name, manifest(name, BEGUN + timedelta(days=days)))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    (tmp_path / "no run").mkdir()
    found = list_runs(tmp_path)
    assert [run.path.name for run in found] == ["last", "middle", "first", "broken"]
    assert "not JSON" in found[-1].problem
    assert list_runs(tmp_path / "nowhere") == ()


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300), st.datetimes(timezones=st.just(UTC)))
def test_any_name_makes_a_good_folder_name(name: str, now: datetime) -> None:
    run_id = new_run_id(name, now)
    assert len(run_id.encode()) <= 160
    assert run_id[0] not in ".-"
    assert not any(letter in run_id or letter.isspace() for letter in "/\\:\0")
    assert new_run_id(name, now) == run_id


def test_runs_begun_in_the_same_second_differ() -> None:
    assert new_run_id("c", BEGUN) != new_run_id("c", BEGUN + timedelta(microseconds=1))
    assert new_run_id("c", BEGUN)[:15] == "20261120-231502"


@given(st.text(alphabet=st.characters(exclude_categories=()), min_size=1), st.text(min_size=1))
def test_names_of_judges_stay_apart_and_inside_their_folder(first: str, second: str) -> None:
    assert (quoted_name(first) == quoted_name(second)) == (first == second)
    assert "/" not in quoted_name(first)
    assert quoted_name(first) not in (".", "..")
