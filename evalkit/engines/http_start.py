"""Whether servers are there, before anything is asked of them, and in words that say what to mend.

http://localhost:8000/v1 refuses connections      -> "no server answers at ... Start it, or mend engine_args.base_url."
https:// to a server that speaks plain HTTP       -> "... Write http:// in engine_args.base_url."
"""

import asyncio
import re
import ssl
from collections.abc import Sequence

import aiohttp

from evalkit.core.errors import InputError
from evalkit.engines.http_connection import Glance, HttpConnection
from evalkit.engines.http_fault import words_for
from evalkit.engines.http_secrets import Secrets

_WANTS_TLS = re.compile(rb"(?i)http request (was )?(sent )?to (an )?https")
"""As nginx and Go's servers put it."""


async def check_servers(
    connection: HttpConnection, base_urls: Sequence[str], timeout_s: float, secrets: Secrets
) -> dict[str, str]:
    """The servers that do not answer, and why. Raises InputError when none does, or when an address cannot be right.

    Any HTTP answer at all, an error too, is a server.
    """
    found = await asyncio.gather(*[_check(connection, url, timeout_s, secrets) for url in base_urls])
    silent = {url: reason for url, reason in zip(base_urls, found, strict=True) if reason}
    if len(silent) < len(base_urls):
        return silent
    told = " and ".join(f"at {url} ({reason})" for url, reason in silent.items())
    raise InputError(f"no server answers {told}. Start it, or mend engine_args.base_url.")


async def _check(connection: HttpConnection, base_url: str, timeout_s: float, secrets: Secrets) -> str:
    """Why a server does not answer; "" = it does. Raises InputError for an address that cannot be right."""
    try:
        found = await connection.models(base_url, timeout_s)
    except aiohttp.ClientConnectorCertificateError as error:
        raise InputError(
            f"{base_url}: {words_for(error)}. Name the server as its certificate does, or set SSL_CERT_FILE to a file "
            "with the certificate of whoever signed it."
        ) from None
    except (aiohttp.ClientConnectorSSLError, ssl.SSLError) as error:
        raise InputError(
            f"{base_url}: what answers there speaks no TLS ({secrets.hide(words_for(error))}). "
            "If it speaks plain HTTP, write http:// in engine_args.base_url."
        ) from None
    except aiohttp.ClientResponseError as error:
        return _with_hint(base_url, secrets.hide(f"what came is no HTTP: {error.message}"))
    except TimeoutError:
        return f"nothing came within {timeout_s:g} s"
    except (aiohttp.ClientConnectorError, ValueError) as error:
        return secrets.hide(words_for(error))
    except (aiohttp.ClientError, OSError) as error:
        return _with_hint(base_url, secrets.hide(words_for(error)))
    _check_scheme(base_url, found)
    return ""


def _check_scheme(base_url: str, found: Glance) -> None:
    if found.status == 400 and _WANTS_TLS.search(found.content):
        raise InputError(f"{base_url}: the server speaks TLS there. Write https:// in engine_args.base_url.")


def _with_hint(base_url: str, reason: str) -> str:
    """A server that accepts a connection and then speaks no HTTP may want TLS first."""
    return f"{reason}; if it speaks TLS, write https://" if base_url.startswith("http://") else reason
