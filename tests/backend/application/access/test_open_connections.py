"""Open connections: counted while they are held, and cut by the key."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from cartrita.application.access.open_connections import KeyEnded, OpenConnections, TooManyStreams
from cartrita.domain.principals import Principal

ANN, BOB = Principal("ann", "a"), Principal("bob", "b")


def of_ann(principal: Principal) -> bool:
    return principal.key_id == "a"


class Connection:
    """A task that holds a connection until it is let go."""

    def __init__(self, connections: OpenConnections, principal: Principal) -> None:
        self.let_go = asyncio.Event()
        self.closed = False
        self.task = asyncio.create_task(self._hold(connections, principal))

    @asynccontextmanager
    async def _upstream(self) -> AsyncGenerator[str]:
        try:
            yield "open"
        finally:
            self.closed = True

    async def _hold(self, connections: OpenConnections, principal: Principal) -> str:
        async with connections.holding(principal, self._upstream()) as opened:
            assert opened == "open"
            await self.let_go.wait()
        return "done"


async def test_a_key_holds_so_many_at_once() -> None:
    connections = OpenConnections(most=2)
    held = [Connection(connections, ANN) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyStreams):
        await held[2].task
    with pytest.raises(TooManyStreams) as told:
        connections.require_room(ANN)
    assert (told.value.code, connections.count(ANN)) == ("too_many_streams", 2)
    connections.require_room(BOB)
    held[0].let_go.set()
    await held[0].task
    connections.require_room(ANN)
    held[1].let_go.set()
    await held[1].task


async def test_connections_are_counted_by_key() -> None:
    connections = OpenConnections()
    held = [Connection(connections, ANN), Connection(connections, ANN)]
    await asyncio.sleep(0)
    assert (connections.count(ANN), connections.count(BOB)) == (2, 0)
    assert set(connections.key_ids) == {"a"}
    for one in held:
        one.let_go.set()
    assert await asyncio.gather(*(one.task for one in held)) == ["done", "done"]
    assert connections.count(ANN) == 0
    assert set(connections.key_ids) == set()


async def test_those_of_a_key_are_cut_and_no_others() -> None:
    connections = OpenConnections()
    ann, bob = Connection(connections, ANN), Connection(connections, BOB)
    await asyncio.sleep(0)
    assert connections.cut(of_ann) == 1
    assert connections.cut(of_ann) == 1  # which does nothing more
    with pytest.raises(KeyEnded):
        await ann.task
    assert ann.closed
    bob.let_go.set()
    assert await bob.task == "done"
    assert connections.cut(of_ann) == 0


async def test_a_cut_while_the_context_is_entered() -> None:
    connections = OpenConnections()
    entering = asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncGenerator[None]:
        entering.set()
        await asyncio.Event().wait()
        yield

    async def hold() -> None:
        async with connections.holding(ANN, slow()):
            raise AssertionError("never entered")

    task = asyncio.create_task(hold())
    await entering.wait()
    connections.cut(of_ann)
    with pytest.raises(KeyEnded):
        await task
    assert connections.count(ANN) == 0


async def test_a_cancelled_task_is_cancelled_also_where_it_is_cut() -> None:
    connections = OpenConnections()
    ann = Connection(connections, ANN)
    await asyncio.sleep(0)
    connections.cut(of_ann)
    ann.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ann.task
    assert connections.count(ANN) == 0


async def test_a_context_that_fails_at_its_end_is_counted_no_more() -> None:
    connections = OpenConnections()

    @asynccontextmanager
    async def failing() -> AsyncGenerator[None]:
        yield
        raise ValueError("at the end")

    async def hold() -> None:
        async with connections.holding(ANN, failing()):
            assert connections.count(ANN) == 1

    with pytest.raises(ValueError, match="at the end"):
        await hold()
    assert connections.count(ANN) == 0


async def test_an_error_of_the_body_stays_what_it_is() -> None:
    connections = OpenConnections()

    async def hold() -> None:
        with connections.hold(ANN):
            assert connections.count(ANN) == 1
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await hold()
    assert connections.count(ANN) == 0
