"""The same question through either client, so that one test says what both do."""

import asyncio
from collections.abc import Callable
from typing import Any

from cartrita_client import AsyncCartritaApiClient, CartritaApiClient

Ask = Callable[..., Any]
QUICK = {
    "timeout": 5.0,
    "long_timeout": 5.0,
    "connect_timeout": 5.0,
    "silence_timeout": 5.0,
    "retry_delay": 0.02,
}


def blocking(base: str, method: str, *path: str, key: str = "ck_a", **given: Any) -> Any:
    """The answer, the last event of a stream, or the bytes of a file."""
    options, named = _parted(given)
    with CartritaApiClient(base, key, **options) as client:
        found = getattr(client, method)(*path, **named)
        for end in ("final", "read"):
            if hasattr(found, end):
                return getattr(found, end)()
        return found


def asynchronous(base: str, method: str, *path: str, key: str = "ck_a", **given: Any) -> Any:
    """The same without blocking."""

    async def ask() -> Any:
        options, named = _parted(given)
        async with AsyncCartritaApiClient(base, key, **options) as client:
            found = getattr(client, method)(*path, **named)
            for end in ("final", "read"):
                if hasattr(found, end):
                    return await getattr(found, end)()
            return await found

    return asyncio.run(ask())


BOTH = (blocking, asynchronous)


def _parted(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is for the client, in `options`, and what for the method."""
    return {**QUICK, **given.pop("options", {})}, given
