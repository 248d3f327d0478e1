"""A release loads each model once and never two at a time; what is finished of either run is kept."""

import json
import sys
from pathlib import Path

import pytest

from evalkit.cli.app import run_command
from evalkit.content.judges import load_judge
from evalkit.core.errors import InputError
from tests.runner.suites import SUITE, write_suite
from tests.servers import ModelServer

ENGINE = '''
"""An engine that writes down when it is started and closed, and answers with its candidate's model."""

from pathlib import Path

from evalkit.core.failure import Failure
from evalkit.core.response import Response

LOG = Path("engine.log")


class Noted:
    served = {}
    name, version, concurrency = "noted", "1", 4
    transport_arguments, loading, warnings = frozenset(), "loading a notebook", ("it only notes",)
    in_process = True

    def __init__(self, candidate, context):
        self.candidate = candidate
        if candidate.model == "known":
            self.served = {"weights": Path("weights").read_text()}

    def note(self, what):
        with LOG.open("a") as stream:
            stream.write(f"{what} {self.candidate.name}\\n")

    async def start(self):
        self.note("start")
        self.asked = 0

    async def respond(self, request):
        self.asked += 1
        same = {"request_digest": request.digest, "key": request.key, "judge_key": request.judge_key}
        if self.candidate.model == "dies" or (self.candidate.model == "known" and self.asked > 5):
            return Response(**same, failure=Failure(blame="system", stage="generate", kind="engine_died"))
        return Response(**same, text=self.candidate.model, finish_reason="stop")

    async def close(self):
        self.note("close")
'''

JUDGE = """\
name: correct
criteria: [correct]
scale: binary:no<yes
prompt: "{{ input }} {{ response }}"
candidate: {name: the-judge, engine: noted, model: "yes"}
"""


@pytest.fixture(autouse=True)
def judged_suite(tmp_path, monkeypatch):
    """A suite with a judge that brings its own model, whose engine is a plugin."""
    monkeypatch.chdir(tmp_path)
    site = tmp_path / "site"
    (site / "noted-1.0.dist-info").mkdir(parents=True)
    (site / "noted_engine.py").write_text(ENGINE)
    (site / "noted-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: noted\nVersion: 1.0\n")
    (site / "noted-1.0.dist-info/entry_points.txt").write_text("[evalkit.engines]\nnoted = noted_engine:Noted\n")
    monkeypatch.syspath_prepend(str(site))
    metrics = "    metrics: [{name: correct, scorer: 'judge:correct', reduce: share, labels: ['yes']}]\n"
    write_suite(tmp_path / "suite", suite=SUITE.replace("[number]", "['judge:correct']") + metrics)
    (tmp_path / "judges/correct").mkdir(parents=True)
    (tmp_path / "judges/correct/judge.yaml").write_text(JUDGE)
    (tmp_path / "reports/release").mkdir(parents=True)
    gate = "{metric: sums.correct, rule: no_worse_than, margin: 0.2, needs_card: none}"
    (tmp_path / "reports/release/report.yaml").write_text(f"name: release\nsections: [gates]\ngates: [{gate}]\n")
    yield
    sys.modules.pop("noted_engine", None)


INCONCLUSIVE = 3
"""A judge that nobody has checked decides nothing; what is looked at here happens before that."""


def release(*more: str) -> int:
    return run_command("release", ["suite", "--baseline", "noted:old", "--candidate", "noted:new", *more])


def noted() -> list[str]:
    return Path("engine.log").read_text().splitlines()


def test_both_candidates_are_asked_then_the_judge_once_and_never_two_at_a_time():
    assert release() == INCONCLUSIVE
    assert noted() == ["start old", "close old", "start new", "close new", "start the-judge", "close the-judge"]
    manifests = [json.loads(path.read_text()) for path in Path("runs").glob("*/manifest.json")]
    assert [manifest["status"] for manifest in manifests] == ["complete", "complete"]
    assert len({manifest["judges"]["correct"]["digest"] for manifest in manifests}) == 1


def test_a_release_that_is_resumed_when_it_is_whole_starts_no_engine():
    assert release() == INCONCLUSIVE
    Path("engine.log").unlink()
    assert release("--resume") == INCONCLUSIVE
    assert not Path("engine.log").exists()


def test_one_candidate_on_both_sides_is_resumed_as_one_run():
    assert run_command("run", ["suite", "--candidate", "noted:old"]) == 0
    both = ["suite", "--baseline", "noted:old", "--candidate", "noted:old", "--resume"]
    assert run_command("release", both) == INCONCLUSIVE
    assert len(list(Path("runs").glob("*/manifest.json"))) == 1


def test_what_the_baseline_answered_is_kept_when_the_candidate_cannot_start(capsys):
    with ModelServer() as server:
        gone = f"openai:new@{server.base_url}"
    assert run_command("release", ["suite", "--baseline", "noted:old", "--candidate", gone]) == 2
    statuses = {}
    for path in Path("runs").glob("*/manifest.json"):
        manifest = json.loads(path.read_text())
        statuses[manifest["candidate"]["name"]] = manifest["status"]
    assert statuses == {"old": "incomplete", "new": "incomplete"}
    Path("engine.log").unlink()
    assert run_command("run", ["suite", "--candidate", "noted:old", "--resume"]) == 0
    assert noted() == ["start the-judge", "close the-judge"]


def test_an_engine_s_loading_and_its_warnings_are_said(capsys):
    assert release() == INCONCLUSIVE
    said = capsys.readouterr().err
    assert said.index("evalkit: loading a notebook") < said.index("evalkit: warning: it only notes")


def test_a_judge_named_on_the_command_line_goes_before_its_own_model():
    assert release("--judge", "correct=noted:no") == INCONCLUSIVE
    assert noted()[-2:] == ["start no", "close no"]


def test_a_judge_s_own_model_needs_an_engine_that_there_is(tmp_path):
    file = tmp_path / "judges/correct/judge.yaml"
    file.write_text(JUDGE.replace("engine: noted", "engine: notd"))
    with pytest.raises(InputError, match=r'judge.yaml:5:\d+: engine "notd" is not known. Did you mean "noted"'):
        load_judge("correct")


def test_a_key_in_a_judge_s_own_model_is_refused_unseen(tmp_path):
    file = tmp_path / "judges/correct/judge.yaml"
    file.write_text(JUDGE.replace('model: "yes"', 'model: "yes", engine_args: {api_key: sk-abcdefabcdefabcdef123}'))
    with pytest.raises(InputError) as caught:
        load_judge("correct")
    assert "sk-abc" not in str(caught.value)


def test_a_run_is_never_gone_on_with_by_another_model_in_the_same_place(tmp_path, capsys):
    (tmp_path / "weights").write_text("old")
    run = ["suite", "--candidate", "noted:known", "--run-id", "known"]
    assert run_command("run", run) == 4
    (tmp_path / "weights").write_text("new")
    assert run_command("run", [*run, "--resume"]) == 2
    assert "holds answers of another model" in capsys.readouterr().err
    (tmp_path / "weights").write_text("old")
    assert run_command("run", [*run, "--resume"]) == 4
    assert len(Path("runs/known/responses.jsonl").read_text().splitlines()) > 40


def test_a_run_whose_judge_died_is_not_complete(capsys):
    assert run_command("run", ["suite", "--candidate", "noted:old", "--judge", "correct=noted:dies"]) == 4
    assert "40 of 40 scores have no verdict through the system's fault (engine_died 40)" in capsys.readouterr().err


def test_a_judge_s_own_model_is_the_one_beside_its_file(tmp_path):
    for folder in (tmp_path, tmp_path / "judges/correct"):
        (folder / "small").mkdir()
    (tmp_path / "judges/correct/judge.yaml").write_text(JUDGE.replace('"yes"', "small"))
    own = load_judge("correct").candidate
    assert own is not None
    assert Path(own.model) == Path("judges/correct/small")
