"""`evalkit list`: what there is, by kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.options import Runs
from evalkit.cli.tables import print_table
from evalkit.content.locate import list_content, shown
from evalkit.core.errors import unknown_name
from evalkit.plugins import names
from evalkit.runner.cards import read_card
from evalkit.store.rundir import list_runs

app = typer.Typer(add_completion=False)


def _content(kind: str) -> Callable[[Path], None]:
    def show(runs: Path) -> None:
        found = list_content(kind)  # type: ignore[arg-type]  # one of the table's keys below
        print_table((kind[:-1], "file"), [(name, str(shown(file))) for name, file in found.items()])

    return show


def _cards(runs: Path) -> None:
    rows = []
    for file in list_content("cards").values():
        card = read_card(file)
        fit = ", ".join(sorted({line.fit_for for line in card.fitness})) or "people alone"
        rows.append((card.judge or "", fit, card.labels.kind, f"{card.made_at:%Y-%m-%d}", str(shown(file))))
    print_table(("judge", "fit for", "labels", "made", "file"), rows)


def _runs(runs: Path) -> None:
    rows = []
    for run in list_runs(runs):
        manifest = run.manifest
        if manifest is None:
            rows.append((run.path.name, "unreadable", run.problem, "", ""))
        else:
            partial = " (partial)" if manifest.partial else ""
            samples = str(manifest.counts.get("samples", ""))
            rows.append(
                (run.path.name, manifest.status + partial, manifest.suite.name, manifest.candidate.name, samples)
            )
    print_table(("run", "status", "suite", "candidate", "samples"), rows)


def _plugins(group: str) -> Callable[[Path], None]:
    return lambda runs: print_table((group[:-1],), [(name,) for name in names(group)])  # type: ignore[arg-type]


_KINDS: dict[str, Callable[[Path], None]] = {
    "suites": _content("suites"),
    "judges": _content("judges"),
    "reports": _content("reports"),
    "candidates": _content("candidates"),
    "cards": _cards,
    "runs": _runs,
    "engines": _plugins("engines"),
    "scorers": _plugins("scorers"),
}


@app.command(name="list")
def list_kind(
    kind: Annotated[str, typer.Argument(help="suites, judges, reports, candidates, cards, runs, engines or scorers.")],
    runs: Runs = Path("runs"),
) -> None:
    """List what there is."""
    if kind not in _KINDS:
        raise unknown_name("kind", kind, _KINDS)
    _KINDS[kind](runs)
