"""Two directions of one connection, which end together."""

import asyncio
from collections.abc import Awaitable, Coroutine


async def both_ways(sending: Coroutine[object, object, None], taking: Awaitable[None]) -> None:
    """Do both until `taking` ends; what one of them raises ends both, and is raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(sending)
            await taking
            task.cancel()
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
