"""Why no connection to a server comes about, in words."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable
from typing import Final, TypeVar

from cartrita.domain.errors import UpstreamUnreachable

T = TypeVar("T")

BAD_CERTIFICATE: Final = "the encrypted connection failed; check its certificate"


def unreachable(provider: str, why: str) -> UpstreamUnreachable:
    """A server gives no answer."""
    return UpstreamUnreachable(f"{provider} cannot be reached: {why}.", provider=provider)


async def within(limit: float, provider: str, connecting: Awaitable[T]) -> T:
    """The connection that comes about in so many seconds. Raises UpstreamUnreachable."""
    try:
        async with asyncio.timeout(limit):
            return await connecting
    except socket.gaierror:
        why = "its name is not known"
    except ssl.SSLError:
        why = BAD_CERTIFICATE
    except TimeoutError:
        why = f"it accepted no connection within {limit:g} s"
    except OSError:
        why = "it refused the connection"
    except ValueError:
        why = "its base URL is malformed"
    raise unreachable(provider, why)
