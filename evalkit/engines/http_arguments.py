"""What `engine_args` may say of an OpenAI-compatible server, and where its keys come from.

    engine_args:
      base_url: http://localhost:8000/v1     # or a list: servers of the same model
      headers: {X-Team: "${TEAM_TOKEN}"}     # the environment variable's name, never the value

Candidates are written into every run's manifest, so a key or a header's value standing in one is refused, unread.
"""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from yarl import URL

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.noun import Noun

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_FROM_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2: token
_HEADER_VALUE = re.compile(r"[\x20-\x7e]+")


class HttpArguments(Noun):
    """`engine_args` of the engine `openai_http`."""

    base_url: str | tuple[str, ...]
    """where the server is, up to and without /chat/completions, such as http://localhost:8000/v1; or a list of servers
    of the same model
    """
    api_key_env: str | None = "OPENAI_API_KEY"
    """the environment variable that holds the key; null sends none, and the default may be unset"""
    headers: dict[str, str] = {}
    """name -> "${VARIABLE}": a header and the environment variable that holds its value"""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """how the server calls the limit on output tokens: max_tokens or max_completion_tokens"""
    answer_form: Literal["none", "vllm_choice", "json_schema"] = "none"
    """how the server is held to a form: none, vllm_choice (structured_outputs) or json_schema (response_format)"""
    logprobs: bool = False
    """whether to ask for log-probabilities where the answer is one of some labels"""
    stream: bool = False
    """whether to stream; always on where timing is measured"""
    concurrency: int = Field(default=64, ge=1)
    """how many requests to keep in flight, from 1, over all servers"""
    attempt_timeout_s: float = Field(default=120.0, gt=0)
    """seconds for one attempt, to the last byte; an attempt that takes longer is made again"""
    total_timeout_s: float = Field(default=600.0, gt=0)
    """seconds for all attempts and waits of one request; then it is the system's failure"""
    connect_timeout_s: float = Field(default=10.0, gt=0)
    """seconds to reach the server"""
    max_retries: int = Field(default=5, ge=0)
    """how many more attempts a request gets after the first, from 0"""
    down_timeout_s: float = Field(default=600.0, ge=0)
    """seconds that requests wait, using up no attempt, while no server can be reached; then the run ends"""
    max_answer_mib: float = Field(default=64.0, gt=0)
    """mebibytes of one answer's body; a longer one is the system's failure, and is not asked for again"""

    @property
    def base_urls(self) -> tuple[str, ...]:
        """All servers."""
        return (self.base_url,) if isinstance(self.base_url, str) else self.base_url

    @field_validator("base_url", mode="before")
    @classmethod
    def _are_plain_urls(cls, value: object) -> str | tuple[str, ...]:
        if isinstance(value, str):
            return _plain_url(value)
        if not isinstance(value, list | tuple) or not value or not all(isinstance(url, str) for url in value):
            raise ValueError("is neither an address nor a list of addresses")
        urls = tuple(_plain_url(url) for url in value)
        if len(set(urls)) < len(urls):
            raise ValueError("names a server twice")
        return urls

    @field_validator("api_key_env")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            raise ValueError("is no name of an environment variable such as MY_API_KEY (not shown: it may be a key)")
        return value

    @field_validator("headers")
    @classmethod
    def _values_come_from_variables(cls, value: dict[str, str]) -> dict[str, str]:
        for name, source in value.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError("a header's name is letters, digits and hyphens")
            if not _FROM_VARIABLE.fullmatch(source):
                raise ValueError(
                    f'the value of "{name}" stands in the file itself (not shown), from where it would reach every '
                    'manifest; put it into an environment variable and write "${VARIABLE}"'
                )
        return value


def _plain_url(value: str) -> str:
    """An address without a slash at its end. Raises ValueError for what is none, or holds what might be a key."""
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError("holds a name or password (not shown); take it out and use api_key_env or headers")
    if parts.query or parts.fragment:
        raise ValueError("has a part after ? or #, which might be a key (not shown); take it out")
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise ValueError(f'"{value}" is no http:// or https:// address')
    if value.rstrip("/").endswith("/chat/completions"):
        raise ValueError(f'"{value}" ends in /chat/completions, which is added to it')
    _ = parts.port  # raises ValueError for a port that is no number up to 65535
    URL(value)  # raises ValueError for a host name that none can be
    return value.rstrip("/")


def read_headers(candidate: Candidate, arguments: HttpArguments, environment: Mapping[str, str]) -> dict[str, str]:
    """The headers to send, values and all: Authorization and the candidate's own. They stay in memory.

    The default variable for the key may be unset: many local servers want none. Raises InputError when a variable that
    the candidate names is unset, or holds what no header can carry.
    """
    headers = {}
    for name, source in arguments.headers.items():
        variable = source[2:-1]
        headers[name] = _read_variable(candidate, variable, environment, f'header "{name}"')
    variable = arguments.api_key_env or ""
    named = "api_key_env" in arguments.model_fields_set
    has_own = "authorization" in {name.lower() for name in headers}
    if variable and not has_own and (named or environment.get(variable, "").strip()):
        headers["Authorization"] = f"Bearer {_read_variable(candidate, variable, environment, 'api_key_env')}"
    return headers


def _read_variable(candidate: Candidate, variable: str, environment: Mapping[str, str], used_for: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise InputError(
            f'candidate "{candidate.name}": {used_for} needs the environment variable {variable}, which is not set. '
            f"Set it (export {variable}=...) and start again."
        )
    if not _HEADER_VALUE.fullmatch(value):
        raise InputError(
            f'candidate "{candidate.name}": the environment variable {variable} (for {used_for}) holds a character '
            "that no header can carry (a line break, or a letter outside ASCII). Set it again."
        )
    return value
