"""Tasks that outlast the calls that start them, and are owned by one loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class OwnedTasks:
    """Tasks that are started while `run` runs, and cancelled with it.

    An exception of one is raised by `run`, and cancels the others.
    """

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None

    @property
    def running(self) -> bool:
        """Whether a task can be started."""
        return self._group is not None

    async def run(self) -> None:
        """Own the tasks, until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await asyncio.Event().wait()
        finally:
            self._group = None

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task; only while `run` runs."""
        assert self._group is not None
        return self._group.create_task(work)
