"""Work that is done at once."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

import anyio

T = TypeVar("T")


async def all_of(works: Sequence[Awaitable[T]]) -> list[T]:
    """What comes of all, in their order; the first failure cancels the others and is raised."""
    outcomes: dict[int, T] = {}

    async def keep(position: int, work: Awaitable[T]) -> None:
        outcomes[position] = await work

    try:
        async with anyio.create_task_group() as group:
            for position, work in enumerate(works):
                group.start_soon(keep, position, work)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [outcomes[position] for position in range(len(works))]
