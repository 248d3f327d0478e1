"""`evalkit cache`: what is kept for later runs, and how to make it smaller."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.cache_options import VARIABLE, CacheFolder, chosen_cache
from evalkit.cli.say import say
from evalkit.cli.tables import print_table
from evalkit.core.errors import InputError
from evalkit.report.text import one_line
from evalkit.store.cache_contents import Pruning, contents, is_there
from evalkit.store.cache_contents import prune as prune_file

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What is kept for later runs.")

_SIZES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_DAYS = {"d": 1, "w": 7}
_MOST_DAYS = 36_500


@app.command()
def stats(cache: CacheFolder = None) -> None:
    """What is kept: answers, room on the disk, and when each model's were first and last used."""
    folder = _folder(cache)
    if not is_there(folder):
        say(f"no answers are kept in {one_line(str(folder))} yet")
        return
    found = contents(folder)
    print_table(
        ("model", "answers", "size", "first", "last used"),
        [
            (m.model, f"{m.entries:,}", size_text(m.value_bytes), f"{m.first_made}", f"{m.last_used}")
            for m in found.models
        ],
    )
    say(f"\n{found.entries:,} answers, {size_text(found.file_bytes)} in {one_line(str(folder))}")


@app.command()
def prune(
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="Remove what was not used for so long, e.g. 30d or 8w.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option("--max-size", help="Remove the least recently used beyond so much, e.g. 5GB.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Remove this model's answers alone, as `stats` names it.")
    ] = None,
    cache: CacheFolder = None,
) -> None:
    """Remove answers, and give their room back. Runs may go on meanwhile."""
    if older_than is None and max_size is None and model is None:
        raise InputError("say what to remove: --older-than 30d, --max-size 5GB or --model NAME")
    if max_size is not None and model is not None:
        raise InputError("--max-size is that of the whole cache, of all models: leave it or --model out")
    pruning = Pruning(
        model=model,
        used_before=None if older_than is None else datetime.now(UTC).date() - read_age(older_than),
        most_bytes=None if max_size is None else read_size(max_size),
    )
    folder = _folder(cache)
    if not is_there(folder):
        say(f"no answers are kept in {one_line(str(folder))} yet")
        return
    freed = prune_file(folder, pruning)
    left = contents(folder)
    say(
        f"{freed.entries:,} answers removed, {size_text(freed.freed_bytes)} freed; {left.entries:,} answers, "
        f"{size_text(left.file_bytes)} left in {one_line(str(folder))}"
    )
    if freed.problem:
        say(freed.problem)


def read_age(text: str) -> timedelta:
    """`30d` or `8w`. Raises InputError for another form.

    >>> read_age("8w").days
    56
    """
    found = re.fullmatch(r"([0-9]{1,6})([dw])", text.strip())
    days = int(found[1]) * _DAYS[found[2]] if found else -1
    if not 1 <= days <= _MOST_DAYS:
        raise InputError(f'--older-than "{text}": expected days or weeks, from 1d, e.g. 30d or 8w')
    return timedelta(days=days)


def read_size(text: str) -> int:
    """`5GB` in bytes, by powers of 1000. Raises InputError for another form.

    >>> read_size("1.5 GB")
    1500000000
    """
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([KMGT]B)", text.strip(), re.IGNORECASE)
    if not found:
        raise InputError(f'--max-size "{text}": expected KB, MB, GB or TB, e.g. 500MB or 5GB')
    return round(float(found[1]) * _SIZES[found[2].upper()])


def size_text(size: int) -> str:
    """
    >>> [size_text(size) for size in (0, 999, 1_500, 12_345_678, 5_000_000_000)]
    ['0 B', '999 B', '1.5 KB', '12.3 MB', '5.0 GB']
    """
    for unit, factor in reversed(_SIZES.items()):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def _folder(given: Path | None) -> Path:
    folder = chosen_cache(given, no_cache=False)
    if folder is None:
        raise InputError(f"the cache is off ({VARIABLE}): name its folder with --cache")
    return folder
