"""`--inconclusive`: what a verdict that nothing could decide does to the exit code."""

from typing import Annotated, cast, get_args

import typer

from evalkit.comparison.verdict import OnInconclusive
from evalkit.core.errors import InputError

Inconclusive = Annotated[
    str,
    typer.Option(
        "--inconclusive",
        help="fail: exit 3; warn: exit 0; default: exit 3 for safety tasks, else 0 with a warning.",
    ),
]


def on_inconclusive(text: str) -> OnInconclusive:
    """The policy named with `--inconclusive`. Raises InputError for another name."""
    for known in get_args(OnInconclusive):
        if text == known:
            return cast(OnInconclusive, text)
    raise InputError(f'--inconclusive "{text}": expected fail, warn or default')
