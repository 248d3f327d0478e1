"""`evalkit calibrate`: measure a judge, or people among themselves, against human labels."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from evalkit.calibration.spec import CalibrationSpec, VerdictSide
from evalkit.cli.cache_options import CacheFolder, NoCache, chosen_cache
from evalkit.cli.options import command_line
from evalkit.cli.progress import console_progress
from evalkit.cli.say import say
from evalkit.cli.tables import print_table
from evalkit.content.candidates import load_candidate
from evalkit.content.judges import load_judge
from evalkit.content.parse import load_yaml, validate
from evalkit.core.card import CardEstimate, JudgeCard
from evalkit.core.errors import InputError
from evalkit.core.gate import Exit
from evalkit.core.scale import Scale
from evalkit.report.numbers import interval_text, slice_text, value_text
from evalkit.runner.calibrate import CalibrateOptions, JudgeToAsk, unmet_requirements
from evalkit.runner.calibrate import calibrate as make_card
from evalkit.store.labels_folder import LabelsFolder

app = typer.Typer(add_completion=False)

_MOST_LINES = 24


@app.command()
def calibrate(
    judge_name: Annotated[
        str | None,
        typer.Argument(metavar="[JUDGE]", help="A judge to ask; without it verdicts are recorded, or there are none."),
    ] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="People's labels (JSON lines, .gz too).")] = None,
    judgements: Annotated[
        Path | None, typer.Option("--judgements", help="Recorded verdicts (JSON lines, .gz too).")
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            "--judge",
            help="Recorded: the row's judge, or judge/prompting. With JUDGE: NAME=CANDIDATE, the model to ask.",
        ),
    ] = None,
    items: Annotated[Path | None, typer.Option("--items", help="Items: prompts, and the columns to slice by.")] = None,
    responses: Annotated[Path | None, typer.Option("--responses", help="With JUDGE: the labelled responses.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder that holds human, judge, items and responses .jsonl.")
    ] = None,
    criterion: Annotated[
        str | None, typer.Option("--criterion", help="One criterion; by default each is a slice.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Slice columns, e.g. language,category.")] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", help="binary, nominal, ordinal:a<b<c, interval or preference.")
    ] = None,
    order: Annotated[str | None, typer.Option("--order", help="Pairwise: ab, ba, or each.")] = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", help="YAML with what flags cannot say; flags go before it.")
    ] = None,
    constructed: Annotated[
        bool, typer.Option("--constructed", help="The labels were made by construction, not by people.")
    ] = False,
    require: Annotated[
        str | None,
        typer.Option("--require", help="gating, or gating:ar,th: exit 1 where the judge is not fit for gating."),
    ] = None,
    draws: Annotated[int | None, typer.Option("--draws", help="Bootstrap draws (2000).")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the bootstrap (0).")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for card.json and card.html; cards/JUDGE by default.")
    ] = None,
    cache: CacheFolder = None,
    no_cache: NoCache = False,
) -> None:
    """Measure a judge, or people among themselves, against human labels; makes its card."""
    settings = _settings(spec)
    settings = _with_flags(
        settings,
        {"file": _absolute(labels), "criterion": criterion},
        {
            "items": _absolute(items),
            "by": tuple(part.strip() for part in by.split(",")) if by else None,
            "scale": _scale(scale) if scale else None,
            "order": order,
            "kind": "constructed" if constructed else None,
            "draws": draws,
            "seed": seed,
        },
    )
    asked = None
    if judge_name is not None:
        asked = _judge_to_ask(judge_name, judge, responses, data)
    else:
        settings = _with_verdicts(settings, judgements, judge, data)
    wanted = None if require is None else _required(require, settings)
    name = judge_name or (settings.judgements.judge if settings.judgements else None) or "people"
    options = CalibrateOptions(
        folder=data,
        out=out or Path("cards") / name.replace("/", "-"),
        command=command_line(),
        cache=chosen_cache(cache, no_cache),
    )
    card = make_card(settings, options, asked, console_progress())
    _tell(card, options.out)
    if wanted is not None:
        _require(card, wanted)


def _absolute(path: Path | None) -> str | None:
    """A flag's path is relative to the working directory; a spec's to the `--data` folder."""
    return None if path is None else str(path.resolve())


def _settings(file: Path | None) -> CalibrationSpec:
    if file is None:
        return CalibrationSpec()
    return validate(load_yaml(file), CalibrationSpec)


def _with_flags(spec: CalibrationSpec, labels: dict[str, Any], flags: dict[str, Any]) -> CalibrationSpec:
    """The spec with what the flags say instead; None = not given. Raises InputError for a flag that does not fit."""
    side = spec.labels.model_copy(update={name: value for name, value in labels.items() if value is not None})
    changed = {name: value for name, value in flags.items() if value is not None}
    try:
        return CalibrationSpec.model_validate({**dict(spec), "labels": side, **changed})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        flag = f"--{first['loc'][0]}: " if first["loc"] else ""
        raise InputError(f"{flag}{first['msg'].removeprefix('Value error, ')}") from error


def _scale(text: str) -> Scale:
    try:
        return Scale.parse(text)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise InputError(f'--scale "{text}": {reason}') from error
    except ValueError as error:
        raise InputError(f"--scale: {error}") from error


def _with_verdicts(
    spec: CalibrationSpec, judgements: Path | None, judge: str | None, data: Path | None
) -> CalibrationSpec:
    """Recorded verdicts: as named, or those of the `--data` folder; none at all means people alone."""
    there = judgements is not None or (data is not None and LabelsFolder.find(data).judge is not None)
    if spec.judgements is None and not there:
        if judge is not None:
            raise InputError(f'--judge "{judge}": there are no verdicts; name them with --judgements FILE')
        return spec
    side = spec.judgements or VerdictSide(criterion=None)
    named = {"file": _absolute(judgements), "judge": judge}
    changed = {name: value for name, value in named.items() if value is not None}
    return spec.model_copy(update={"judgements": side.model_copy(update=changed)})


def _judge_to_ask(name: str, judge: str | None, responses: Path | None, data: Path | None) -> JudgeToAsk:
    loaded = load_judge(name, () if data is None else (data,))
    if loaded.spec.method == "recorded":
        raise InputError(f"judge {name} is recorded; leave JUDGE out and name its file with --judgements")
    bound, _, named = (judge or "").partition("=")
    candidate = loaded.candidate if judge is None else load_candidate(named) if named else None
    if candidate is None or (judge is not None and bound != name):
        raise InputError(f"judge {name} has no model to ask: name one with --judge {name}=CANDIDATE")
    file = responses or (LabelsFolder.find(data).responses if data is not None else None)
    if file is None:
        raise InputError("name the labelled responses with --responses FILE (or --data FOLDER)")
    return JudgeToAsk(loaded, candidate, file)


def _tell(card: JudgeCard, out: Path) -> None:
    shown = [line for line in card.estimates if _is_overall(line, card)]
    print_table(
        ("statistic", "against", "slice", "value", "interval", "n", "missing"),
        [
            (
                line.statistic,
                line.against,
                slice_text(line.slice),
                value_text(line),
                interval_text(line),
                str(line.n),
                str(line.n_missing or ""),
            )
            for line in shown[:_MOST_LINES]
        ],
    )
    if len(shown) > _MOST_LINES:
        say(f"and {len(shown) - _MOST_LINES} more, and every slice, in card.json")
    overall = next((line for line in card.fitness if not line.slice), card.fitness[0] if card.fitness else None)
    if overall is not None:
        say(f"\n{card.judge}: {overall.because}")
    say(f"\ncard: {out / 'card.html'}\nwhere they differ: {out / 'disagreements.csv'}")


def _is_overall(line: CardEstimate, card: JudgeCard) -> bool:
    """Whether a line speaks of all samples: of the one criterion, or of one of several."""
    return set(line.slice) == ({"criterion"} if len(card.criteria) > 1 else set())


def _required(text: str, spec: CalibrationSpec) -> list[str]:
    """The slices of `--require gating:ar,th`, [] for the overall. Raises InputError for another form."""
    level, _, values = text.partition(":")
    if level != "gating":
        raise InputError(
            f'--require "{text}": expected gating, or gating:VALUE,VALUE with the values of the first --by column'
        )
    wanted = [value for value in values.split(",") if value]
    if wanted and not spec.by:
        raise InputError(f'--require "{text}": slices need --by, e.g. --by language')
    return wanted


def _require(card: JudgeCard, wanted: list[str]) -> None:
    unmet = unmet_requirements(card, card.by[0] if card.by else "", wanted)
    for sentence in unmet:
        say(f"not fit for gating: {sentence}")
    if unmet:
        raise typer.Exit(Exit.REGRESSED)
