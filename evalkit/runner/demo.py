"""The demo: measure a judge, ask two models, compare them, and find what was planted. The models ship with evalkit.

    suites/demo, judges/demo -> runs/demo/v1, v2 (runs), card (the judge's), comparison (result.json, report.html)

Three models are loaded, each once: v1, v2, and the judge, which is asked about its labelled answers first.
"""

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from evalkit.calibration.spec import CalibrationSpec
from evalkit.content.judges import LoadedJudge, load_judge
from evalkit.content.parse import load_yaml, validate
from evalkit.content.suites import load_suite
from evalkit.core.candidate import Candidate
from evalkit.core.card import JudgeCard
from evalkit.core.errors import EvalkitError, InputError, Place
from evalkit.core.estimate import Slice
from evalkit.core.gate import Exit
from evalkit.engines.base import Engine
from evalkit.runner.calibrate import CalibrateOptions, ask_labelled, card_of_asked, labelled_responses
from evalkit.runner.compare import Compared, CompareOptions, compare_directories
from evalkit.runner.progress import Progress
from evalkit.runner.run import RunSettings, carry_out, prepare_run
from evalkit.scorers.judge import Judge
from evalkit.store.disk import make_private_folder
from evalkit.store.lock import hold_lock

SYSTEMS = ("v1", "v2")
JUDGE = "demo"
PLANTED: tuple[tuple[str, Slice], ...] = (
    ("answers.correct", {"language": "th"}),
    ("refusals.refusal", {"language": "tr"}),
)
"""What v2 was made worse in: the metric and the slice (suites/demo/answers.py)."""


@dataclass(frozen=True)
class DemoOptions:
    """How the demo is run."""

    folder: Path = Path("runs/demo")
    engine: str | None = None
    """vllm or transformers; None = vllm where it is installed, else transformers."""
    resume: bool = False
    """Go on with a demo that was stopped; otherwise the last one's files are moved to `previous/`."""
    command: str = "evalkit demo"


@dataclass(frozen=True)
class DemoResult:
    """What came out of it."""

    card: JudgeCard
    compared: Compared
    found: tuple[tuple[str, Slice], ...]
    """Metric and slice of every decision that came out as regressed."""
    engine: str
    judge_model: Path

    @property
    def as_planted(self) -> bool:
        """Whether the verdict names exactly what was planted."""
        return self.compared.comparison.verdict == "regressed" and sorted(map(str, self.found)) == sorted(
            map(str, PLANTED)
        )


class DemoFailed(EvalkitError):
    """The demo's verdict is not the one it was made to have."""

    exit_code = Exit.OUR_BUG


def run_demo(options: DemoOptions, progress: Progress) -> DemoResult:
    """Run it all. Raises InputError when neither engine is installed, or a part of the demo is missing."""
    engine = options.engine or installed_engine()
    loaded, judge = load_suite("demo"), load_judge(JUDGE)
    own = judge.candidate
    assert own is not None, "the demo's judge names its model"
    settings = RunSettings(
        runs=options.folder,
        judges={JUDGE: own.model_copy(update={"engine": engine})},
        resume=options.resume,
        command=options.command,
    )
    make_private_folder(options.folder)
    with hold_lock(options.folder / "lock"):
        if not options.resume:
            _set_aside(options.folder)
        prepared = [
            prepare_run(loaded, _candidate(loaded.folder, system, engine), _of_system(settings, system), progress)
            for system in SYSTEMS
        ]
        calibrating = _Calibration(judge, options, progress)
        directories = carry_out(prepared, progress, {JUDGE: calibrating.ask})
        card = calibrating.card()
        compared = compare_directories(
            directories[0],
            directories[1],
            CompareOptions(
                cards=(options.folder / "card",), out=options.folder / "comparison", command=options.command
            ),
        )
    found = tuple(
        (decision.metric, decision.slice)
        for decision in compared.comparison.decisions
        if decision.outcome == "regressed"
    )
    return DemoResult(card, compared, found, engine, Path(own.model))


def installed_engine() -> str:
    """Vllm where it is installed, else transformers. Raises InputError where neither is."""
    for name, packages in (("vllm", ("vllm",)), ("transformers", ("transformers", "torch"))):
        if all(find_spec(package) is not None for package in packages):
            return name
    raise InputError(
        "the demo runs models, and neither vLLM nor transformers is installed: `make demo` in a clone installs vLLM; "
        "elsewhere pip install '.[cpu]' (Linux), or pip install torch transformers (macOS, Windows)"
    )


class _Calibration:
    """The judge's labelled answers, asked while its model is there for the runs."""

    def __init__(self, judge: LoadedJudge, options: DemoOptions, progress: Progress):
        self._judge = judge
        self._progress = progress
        self._spec = validate(load_yaml(judge.folder / "calibration.yaml"), CalibrationSpec)
        self._options = CalibrateOptions(
            folder=judge.folder / "labels", out=options.folder / "card", command=options.command
        )
        self._pairs = labelled_responses(self._spec, self._options, judge.folder / "labels" / "responses.jsonl.gz")
        self._digest = ""

    async def ask(self, engine: Engine, judge_digest: str) -> None:
        """Ask the judge about every labelled answer."""
        self._digest = judge_digest
        make_private_folder(self._options.out)
        judge = Judge(self._judge.spec, self._judge.spec.name, judge_digest)
        await ask_labelled(self._pairs, judge, engine, self._options.out, self._progress)

    def card(self) -> JudgeCard:
        """The card, written; after `ask`."""
        return card_of_asked(self._spec, self._options, self._judge.spec, self._digest)


def _candidate(folder: Path, system: str, engine: str) -> Candidate:
    """A model beside the suite. In float32, so that processors of every kind come to the same answers."""
    return Candidate(name=system, engine=engine, model=str(folder / "models" / system), dtype="float32")


def _of_system(settings: RunSettings, system: str) -> RunSettings:
    return RunSettings(
        runs=settings.runs,
        run_id=system,
        judges=settings.judges,
        resume=settings.resume,
        command=settings.command,
    )


_MADE = {"v1": "manifest.json", "v2": "manifest.json", "card": "card.json", "comparison": "result.json"}
"""What the demo makes in its folder, and the file by which that is known again."""


def _set_aside(folder: Path) -> None:
    """Move the last demo's files to `previous/`. Raises InputError, and moves nothing, where other files lie."""
    for name, file in _MADE.items():
        if (folder / name).exists() and not _is_the_demo_s(folder / name, file):
            raise InputError(
                "lies where the demo writes, and is not an earlier demo's: name another folder with --out",
                Place(folder / name),
            )
    there = [name for name in _MADE if (folder / name).exists()]
    previous = folder / "previous"
    if there:
        if any(not _is_the_demo_s(previous / name, file) for name, file in _MADE.items() if (previous / name).exists()):
            raise InputError("holds what is not an earlier demo's: name another folder with --out", Place(previous))
        make_private_folder(previous)
    for name in there:
        shutil.rmtree(previous / name, ignore_errors=True)
        (folder / name).rename(previous / name)


def _is_the_demo_s(path: Path, file: str) -> bool:
    """Whether a demo made a folder: empty, stopped before its main file was written, or naming the demo in it."""
    if not path.is_dir():
        return False
    names = {entry.name for entry in path.iterdir()}
    if file not in names:  # what was asked before it was stopped
        return names <= {"lock", "judging", "verdicts.jsonl"}
    try:
        made = json.loads((path / file).read_bytes())
    except ValueError:
        return False
    suite = made.get("suite") if isinstance(made, dict) else None
    named = made.get("judge") if file == "card.json" else suite.get("name") if isinstance(suite, dict) else suite
    return bool(named == JUDGE)
