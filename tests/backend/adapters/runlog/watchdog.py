"""Waiting with a watchdog: polling for conditions and awaiting work, at most WATCHDOG_S seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

WATCHDOG_S = 20.0
T = TypeVar("T")


async def within(work: Awaitable[T]) -> T:
    """Await work; TimeoutError after WATCHDOG_S."""
    async with asyncio.timeout(WATCHDOG_S):
        return await work


async def until(check: Callable[[], Any]) -> Any:
    """Poll until `check` returns something true, and return that."""
    async with asyncio.timeout(WATCHDOG_S):
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)
