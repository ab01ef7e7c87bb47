"""Owned tasks: started while their loop runs, cancelled with it, and the end of it if they fail."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from cartrita.kit.owned_tasks import OwnedTasks


class Running:
    def __init__(self) -> None:
        self.tasks = OwnedTasks()
        self.loop = asyncio.create_task(self.tasks.run())


@pytest.fixture
async def running() -> AsyncGenerator[Running]:
    made = Running()
    await asyncio.sleep(0)
    yield made
    made.loop.cancel()
    await asyncio.gather(made.loop, return_exceptions=True)


async def test_a_task_gives_what_it_returns(running: Running) -> None:
    async def answer() -> int:
        return 3

    assert running.tasks.running
    assert await running.tasks.start(answer()) == 3


async def test_tasks_are_cancelled_with_their_loop(running: Running) -> None:
    task = running.tasks.start(asyncio.Event().wait())
    running.loop.cancel()
    await asyncio.wait({running.loop})
    assert task.cancelled()
    assert not running.tasks.running


async def test_a_task_that_fails_ends_the_loop_and_the_others(running: Running) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    other = running.tasks.start(asyncio.Event().wait())
    running.tasks.start(fail())
    with pytest.raises(ExceptionGroup, match="unhandled") as caught:
        await running.loop
    assert caught.group_contains(ValueError, match="broken")
    assert other.cancelled()


def test_without_a_loop_there_are_none() -> None:
    assert not OwnedTasks().running
