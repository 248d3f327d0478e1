"""Published agreement figures beside ours.

    python -m tests.published                 every set of ../shared/data
    python -m tests.published pandalm xstest  these alone
    python -m tests.published --data FOLDER   sets that lie elsewhere

A line per number: published, recomputed from the kept files (binding), ours, ours minus recomputed, ok or OFF. Ours
comes from a card as `evalkit calibrate` makes it. Exit code 1 when a figure is off.
"""

import argparse
import sys
from pathlib import Path

from tests.published.cards import DATA, Cards
from tests.published.figures import Ours, lines, plainly_counted, read_figures
from tests.published.sets import SETS

ROW = "{figure:<100} {published:>10} {recomputed:>10} {ours:>10} {difference:>10}  {verdict}"


def main(arguments: list[str]) -> int:
    """Print every set's figures; 1 when one is off."""
    parser = argparse.ArgumentParser(prog="python -m tests.published", description="Published figures beside ours.")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all when none is named")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds the sets")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.sets if name not in SETS]
    if unknown:
        parser.error(f"there is no set {', '.join(unknown)}; known: {', '.join(SETS)}")
    if not chosen.data.is_dir():
        print(f"{chosen.data} is not there, so no figure can be compared; --data FOLDER names another place.")
        return 0
    told: list[Ours] = []
    passed = failed = 0
    print(
        ROW.format(
            figure="figure",
            published="published",
            recomputed="recomputed",
            ours="ours",
            difference="difference",
            verdict="",
        )
    )
    for name in chosen.sets or SETS:
        good, bad, ours = compare(name, chosen.data / name)
        passed, failed = passed + good, failed + bad
        told += ours
    _remark("left out", {ours.figure: ours.left_out for ours in told if ours.left_out})
    _remark("notes", {ours.figure: ours.note for ours in told if ours.note})
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


def compare(name: str, folder: Path) -> tuple[int, int, list[Ours]]:
    """Print one set's lines; how many are the same, how many are off, and all that we had to say."""
    if not (folder / "figures.json").is_file():
        print(f"\n{name}: {folder} is not there; skipped.")
        return 0, 0, []
    print(f"\n{name}")
    published = read_figures(folder)
    told: list[Ours] = []
    passed = failed = 0
    for ours in SETS[name](Cards(folder)):
        told.append(ours)
        if not ours.left_out:
            for line in lines(published.get(ours.figure) or plainly_counted(ours), ours):
                passed, failed = passed + line.is_same, failed + (not line.is_same)
                print(
                    ROW.format(
                        figure=line.figure,
                        published=line.published[:10],
                        recomputed=line.recomputed,
                        ours=f"{line.ours:.4f}",
                        difference=f"{line.difference:+.4f}",
                        verdict="ok" if line.is_same else "OFF",
                    )
                )
    for figure in published.keys() - {ours.figure for ours in told}:
        failed += 1
        print(f"{figure}: no figure of ours answers this one: OFF")
    return passed, failed, told


def _remark(title: str, remarks: dict[str, str]) -> None:
    if remarks:
        print(f"\n{title}:")
    for figure, words in remarks.items():
        print(f"  {figure}: {words}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
