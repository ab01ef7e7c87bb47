"""Work for a client that disconnects is cancelled; nothing else is."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from cartrita.surfaces.disconnects import UntilDisconnect


class Connection:
    """Receives a disconnect, or an error, once it has left."""

    def __init__(self, error: Exception | None = None) -> None:
        self.left = asyncio.Event()
        self.watched = asyncio.Event()
        self._error = error

    async def receive(self) -> Message:
        self.watched.set()
        await self.left.wait()
        if self._error is not None:
            raise self._error
        return {"type": "http.disconnect"}


async def test_a_disconnect_cancels_the_body() -> None:
    connection = Connection()
    connection.left.set()
    with pytest.raises(ClientDisconnect):
        async with UntilDisconnect(connection.receive):
            await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_body_that_ends_ends_the_watch() -> None:
    connection = Connection()
    async with UntilDisconnect(connection.receive):
        await connection.watched.wait()
    with pytest.raises(KeyError):
        async with UntilDisconnect(connection.receive):
            raise KeyError


async def test_an_error_of_the_watch_is_raised() -> None:
    connection = Connection(RuntimeError("broken"))
    connection.left.set()

    async def work() -> None:
        async with UntilDisconnect(connection.receive):
            await connection.watched.wait()
            await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="broken"):
        await work()


async def test_a_cancellation_from_outside_stays_one() -> None:
    connection = Connection()

    async def work() -> None:
        async with UntilDisconnect(connection.receive):
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await connection.watched.wait()
        task.cancel()
    assert task.cancelled()
