"""Waiting, without sleeping: whatever takes too long never ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

WATCHDOG_S = 20.0
T = TypeVar("T")


async def within(work: Awaitable[T]) -> T:
    """A watchdog: whatever takes this long never ends."""
    async with asyncio.timeout(WATCHDOG_S):
        return await work


async def until(check: Callable[[], Any]) -> Any:
    """Look again and again; what a check returns, once it is true."""
    async with asyncio.timeout(WATCHDOG_S):
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)
