"""Options that several commands share, and how the command line is written down to be run again."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from evalkit.core.errors import InputError
from evalkit.runner.meter import Limits, read_duration
from evalkit.runner.shard import Shard, read_shard

DataFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--data", help="Folder in which data, recorded answers and verdicts are looked for. May be given again."
    ),
]
Judges = Annotated[
    list[str] | None,
    typer.Option("--judge", help="NAME=CANDIDATE: the model that answers for a judge. May be given again."),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", help="K/N: the K-th of N disjoint parts of the samples; `evalkit merge` joins the runs."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the run directories.")]
Cards = Annotated[
    list[Path] | None, typer.Option("--cards", help="Card file or folder, searched first. May be given again.")
]
Report = Annotated[str | None, typer.Option("--report", help="Report (sections and gates), instead of the suite's.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write into.")]
NumbersOnly = Annotated[
    bool, typer.Option("--numbers-only", help="No prompt, answer or reason in anything that is written.")
]


MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost-usd", help="End the run before it can cost more; every model then needs a price.", min=0),
]
MaxTime = Annotated[
    str | None, typer.Option("--max-time", help="End the run after this long (90s, 50m, 1.5h); go on with --resume.")
]
MaxFailures = Annotated[
    int | None,
    typer.Option("--max-failures", help="End the run when more answers than this fail by the system's fault.", min=0),
]


def limits(max_cost_usd: float | None, max_time: str | None, max_failures: int | None) -> Limits:
    """Where a command ends by itself. Raises InputError for a time that is none."""
    return Limits(max_cost_usd, None if max_time is None else read_duration(max_time), max_failures)


def bound_judges(given: list[str] | None) -> dict[str, str]:
    """`--judge NAME=CANDIDATE` as a mapping. Raises InputError for another form."""
    judges: dict[str, str] = {}
    for text in given or []:
        name, equals, candidate = text.partition("=")
        if not (name and equals and candidate):
            raise InputError(
                f'--judge "{text}": expected NAME=CANDIDATE, e.g. helpfulness=openai:my-model@http://localhost:8000/v1'
            )
        judges[name] = candidate
    return judges


def chosen_shard(given: str | None) -> Shard | None:
    """`--shard K/N`; None = all samples. Raises InputError for another form."""
    return None if given is None else read_shard(given)


def folders(given: list[Path] | None) -> tuple[Path, ...]:
    """`--data` folders. Raises InputError for one that is not there."""
    for folder in given or []:
        if not folder.is_dir():
            raise InputError(f'--data: there is no folder "{folder}"')
    return tuple(given or ())


def program() -> str:
    """How evalkit is called here: by its name where a shell finds it, else by the path it was called by."""
    called = Path(sys.argv[0])
    return "evalkit" if shutil.which("evalkit") or called.name != "evalkit" else str(called)


def command_line() -> str:
    """This command, to be run again; without `--resume`, which the message that offers it adds."""
    return shlex.join([program(), *(argument for argument in sys.argv[1:] if argument != "--resume")])
