"""What to do about a status with which no request of a run can succeed.

404, and the server lists other models  ->  Did you mean "llama-3"? The server lists: llama-3, qwen.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from evalkit.core.errors import nearest_name
from evalkit.engines.http_arguments import HttpArguments

MOST_NAMES = 8
"""As many models as are listed; a hosted API has hundreds."""


async def mend_of(
    status: int | None,
    model: str,
    arguments: HttpArguments,
    headers: Mapping[str, str],
    list_models: Callable[[], Awaitable[Sequence[str]]],
) -> str:
    """A sentence; "" for a status that another request may not meet."""
    if status in (401, 403):
        return _mend_of_key(arguments, headers)
    if status == 404:
        return _mend_of_model(model, await list_models())
    if status is not None and 300 <= status < 400:
        return "Set engine_args.base_url to where the server really is."
    return ""


def _mend_of_key(arguments: HttpArguments, headers: Mapping[str, str]) -> str:
    variable = arguments.api_key_env
    if "Authorization" in headers:
        return f"The key came from {variable}: set the right one, or ask for access to the model."
    if headers:
        return "Set the right values for engine_args.headers, or ask for access to the model."
    unset = f"{variable} is not set" if variable else "engine_args.api_key_env is null"
    return f"No key was sent: {unset}."


def _mend_of_model(model: str, listed: Sequence[str]) -> str:
    if not listed or model in listed:
        return "Check `model`, and engine_args.base_url, to which /chat/completions is added."
    near = nearest_name(model, listed)
    guess = f'Did you mean "{near}"? ' if near else ""
    more = f" and {len(listed) - MOST_NAMES} more" if len(listed) > MOST_NAMES else ""
    return f'`model` is "{model}". {guess}The server lists: {", ".join(listed[:MOST_NAMES])}{more}.'
