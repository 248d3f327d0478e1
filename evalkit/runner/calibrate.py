"""Make a judge's card: over recorded verdicts, or by asking the judge about the labelled responses first.

    labels (+ verdicts) (+ items) -> card.json, card.html
    labels + items + responses -> judging/<judge>/*.jsonl, verdicts.jsonl -> card.json, card.html

What a judge was asked is kept in the output folder: a calibration that was stopped goes on where it was.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.calibration.card import make_card
from evalkit.calibration.disagreements import disagreements
from evalkit.calibration.join import join
from evalkit.calibration.read import read_inputs
from evalkit.calibration.spec import CalibrationSpec, VerdictSide
from evalkit.content.judges import LoadedJudge
from evalkit.core.candidate import Candidate
from evalkit.core.card import JudgeCard
from evalkit.core.errors import EngineLost, InputError, Place, RunInterrupted
from evalkit.core.judge import JudgeSpec, asked_judge_digest
from evalkit.core.request import Key
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.engines.base import Engine, model_identity
from evalkit.report.build import write_card
from evalkit.runner.bind import open_engine
from evalkit.runner.environment import package_versions
from evalkit.runner.flight import keep_in_flight
from evalkit.runner.judge import Asker
from evalkit.runner.progress import Progress, Silent, Tally
from evalkit.runner.templates import template_folder
from evalkit.runner.under_way import Conduct, tallied
from evalkit.scorers.judge import Judge
from evalkit.store.cache import ResponseCache
from evalkit.store.disk import make_private_folder, write_document
from evalkit.store.frames import rows_frame, write_csv
from evalkit.store.labels import read_items, read_labels, read_rows
from evalkit.store.labels_folder import LabelsFolder
from evalkit.store.lock import hold_lock
from evalkit.store.records import RecordWriter
from evalkit.store.rundir import judging_files

CARD = "card.json"
VERDICTS = "verdicts.jsonl"
DISAGREEMENTS = "disagreements.csv"
"""The responses on which judge and people, or people among themselves, differ: ids and labels, no text."""


@dataclass(frozen=True)
class CalibrateOptions:
    """Where a calibration reads and writes, beside its spec."""

    folder: Path | None = None
    """`--data FOLDER`: where files are looked for that the spec does not name, or names without a path."""
    out: Path = Path("cards")
    command: str = ""
    cache: Path | None = None
    """Folder of the answers of other runs; None = they are not looked at, and nothing is kept for others."""
    now: datetime | None = None
    """Tests fix it; None = the clock."""


@dataclass(frozen=True)
class JudgeToAsk:
    """A judge with the model that answers for it, and the responses it is asked about."""

    loaded: LoadedJudge
    candidate: Candidate
    responses: Path
    """JSON lines `item_id, system, text`."""


def calibrate(
    spec: CalibrationSpec,
    options: CalibrateOptions,
    asked: JudgeToAsk | None = None,
    progress: Progress | None = None,
) -> JudgeCard:
    """Make the card and write card.json, card.html and disagreements.csv into `options.out`.

    Raises InputError for files that do not fit.

    asked: None = the verdicts are recorded, or there are none.
    """
    if asked is None:
        return _write_card(spec, options, None)
    make_private_folder(options.out)
    with hold_lock(options.out / "lock"):
        digest = _ask(spec, options, asked, progress or Silent())
    return card_of_asked(spec, options, asked.loaded.spec, digest)


def card_of_asked(spec: CalibrationSpec, options: CalibrateOptions, judge: JudgeSpec, judge_digest: str) -> JudgeCard:
    """The card of a judge whose verdicts `ask_labelled` wrote into `options.out`."""
    side = VerdictSide(file=str((options.out / VERDICTS).resolve()), judge=judge.name, criterion=None)
    asked = spec.model_copy(update={"judgements": side, "scale": spec.scale or judge.scale})
    return _write_card(asked, options, judge_digest)


def _write_card(spec: CalibrationSpec, options: CalibrateOptions, judge_digest: str | None) -> JudgeCard:
    inputs = read_inputs(spec, options.folder)
    joined = join(inputs, spec)
    card = make_card(
        inputs,
        spec,
        joined=joined,
        now=options.now or datetime.now(UTC),
        judge_digest=judge_digest,
        command=options.command,
        versions=package_versions(),
    )
    make_private_folder(options.out)
    write_document(options.out / CARD, card.model_dump(mode="json", by_alias=True))
    write_csv(rows_frame(disagreements(joined, spec)), options.out / DISAGREEMENTS)
    write_card(card, options.out, template_folder=template_folder())
    return card


def unmet_requirements(card: JudgeCard, column: str, wanted: list[str]) -> list[str]:
    """Sentences for the values of a slice column in which the judge is not fit for gating; `wanted` [] = the
    overall.
    """
    slices = [{column: value} for value in wanted] or [{}]
    unmet = []
    for where in slices:
        line = next((line for line in card.fitness if line.slice == where), None)
        name = ", ".join(where.values()) or "overall"
        if line is None:
            unmet.append(f"{name}: the card has no such slice; add --by {column}")
        elif line.fit_for != "gating":
            unmet.append(f"{name}: {line.because}")
    return unmet


def _ask(spec: CalibrationSpec, options: CalibrateOptions, asked: JudgeToAsk, progress: Progress) -> str:
    """Ask the judge about every labelled response; write verdicts.jsonl; the judge's digest."""
    pairs = labelled_responses(spec, options, asked.responses)
    folders = (asked.loaded.folder,) if options.folder is None else (asked.loaded.folder, options.folder)

    async def ask() -> str:
        conduct = Conduct(progress, cache=cache)
        opened = open_engine(asked.candidate, folders, say=progress.say)
        async with conduct.started(opened, asked.candidate) as engine:
            digest = asked_judge_digest(asked.loaded.spec, model_identity(engine, asked.candidate))
            judge = Judge(asked.loaded.spec, asked.loaded.spec.name, digest)
            await ask_labelled(pairs, judge, engine, options.out, progress)
        return digest

    try:
        with nullcontext() if options.cache is None else ResponseCache(options.cache, progress.say) as cache:
            return asyncio.run(ask())
    except EngineLost as error:
        raise error.go_on_with(options.command or "the same call") from None
    except KeyboardInterrupt:
        mend = f"Go on with the same command: {options.command}" if options.command else "Go on with the same call"
        raise RunInterrupted(f"interrupted; every verdict so far is kept in {options.out}. {mend}") from None


async def ask_labelled(
    pairs: list[tuple[Sample, Response]], judge: Judge, engine: Engine, out: Path, progress: Progress
) -> None:
    """Ask a judge, whose engine is started, about labelled responses; write verdicts.jsonl into `out`."""
    rows: dict[int, list[dict[str, Any]]] = {}
    spec = judge.spec
    tally = Tally(f"judge {spec.name}: labelled answers", len(pairs))
    asker = Asker(judge, engine, judging_files(out, spec.name, judge.digest), run_id="calibrate", tally=tally)

    async def judge_one(numbered: tuple[int, tuple[Sample, Response]]) -> None:
        number, (sample, response) = numbered
        scores = await asker.scores_of(sample, response)
        rows[number] = [
            _verdict_row(spec.name, criterion, score) for criterion, score in zip(spec.criteria, scores, strict=True)
        ]
        tally.done += 1
        tally.failed += any(score.failure is not None for score in scores)

    with closing(asker), tallied(progress, tally):
        await keep_in_flight(enumerate(pairs), judge_one, engine.concurrency)
    (out / VERDICTS).unlink(missing_ok=True)
    with RecordWriter(out / VERDICTS) as writer:
        for number in sorted(rows):
            for row in rows[number]:
                writer.append(row)


def _verdict_row(judge: str, criterion: str, score: Score) -> dict[str, Any]:
    value = score.label if score.label is not None else score.value
    raw = score.reason or (score.failure.message if score.failure else "")
    return {
        "item_id": score.key.sample_id,
        "system": score.key.task,
        "judge": judge,
        "criterion": criterion,
        "value": value,
        "raw": raw,
    }


def labelled_responses(
    spec: CalibrationSpec, options: CalibrateOptions, responses: Path
) -> list[tuple[Sample, Response]]:
    """Every response that has a label, with its sample. Its system stands in the key's `task`.

    Raises InputError for files that do not fit each other.
    """
    return list(_labelled_responses(spec, options, responses))


def _labelled_responses(
    spec: CalibrationSpec, options: CalibrateOptions, responses: Path
) -> Iterator[tuple[Sample, Response]]:
    usual = LabelsFolder.find(options.folder) if options.folder is not None else None
    labels_file = _named(spec.labels.file, options.folder) or (usual.human if usual else None)
    items_file = _named(spec.items, options.folder) or (usual.items if usual else None)
    if labels_file is None:
        raise InputError("no labels were given: name them with --labels FILE")
    if items_file is None:
        raise InputError("a judge is asked about prompts and answers: name the items with --items FILE")
    labelled = {(label.item_id, label.system) for label in read_labels(labels_file)}
    samples = {
        item.item_id: _sample(item.item_id, item.fields, items_file, item.line) for item in read_items(items_file)
    }
    found = 0
    seen: dict[tuple[str, str], int] = {}
    for line, row in read_rows(responses):
        item_id, system, text = (_text_field(row, name, responses, line) for name in ("item_id", "system", "text"))
        if (item_id, system) in labelled:
            if (item_id, system) in seen:
                first = seen[item_id, system]
                raise InputError(
                    f'item "{item_id}", system "{system}" has a response on line {first} already',
                    Place(responses, line),
                )
            seen[item_id, system] = line
            if item_id not in samples:
                raise InputError(f'item "{item_id}" is not in {items_file}', Place(responses, line))
            found += 1
            yield (
                samples[item_id],
                Response(request_digest="recorded", key=Key(task=system, sample_id=item_id), text=text),
            )
    if not found:
        raise InputError(f"no label joins a response: {labels_file} and {responses} share no (item_id, system)")


def _text_field(row: dict[str, Any], name: str, file: Path, line: int) -> str:
    value = row.get(name, "" if name == "system" else None)
    if not isinstance(value, str):
        raise InputError(f"`{name}` is {value!r}; a response to judge needs a text there", Place(file, line))
    return value


def _sample(item_id: str, fields: dict[str, Any], file: Path, line: int) -> Sample:
    prompt = fields.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise InputError(f'item "{item_id}" has no `prompt` to show to the judge', Place(file, line))
    reference = fields.get("reference")
    target = () if reference is None else tuple(reference) if isinstance(reference, list) else (str(reference),)
    return Sample(id=item_id, input=prompt, target=target, language=fields.get("language"))


def _named(name: str | None, folder: Path | None) -> Path | None:
    return None if name is None else folder / name if folder is not None else Path(name)
