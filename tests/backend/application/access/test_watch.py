"""What another process changes: noticed at once, by a notification or by a poll."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.backend.application.access_fixture import Access
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.database import Database
from cartrita.application.access.open_connections import KeyEnded, OpenConnections
from cartrita.application.access.watch import AccessWatch
from cartrita.domain.accounts import AccountChanges
from cartrita.domain.api_keys import StoredApiKey
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Unavailable
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Scopes

DAY = timedelta(days=1)
CHAT = Scopes(operations=("chat",))
DISABLED = AccountChanges(disabled=True)


class Changes:
    """Changes of which nobody tells but the test."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()

    async def wait(self) -> None:
        await self.changed.wait()
        self.changed.clear()


class Watched:
    """This process, which watches, and another one, which makes changes."""

    def __init__(self, pool: Database) -> None:
        self.pool = pool
        self.here, self.elsewhere = Access(pool), Access(pool)
        self.elsewhere.clock = self.here.clock
        self.connections = OpenConnections()
        self.changes = Changes()
        self.failures: list[Exception] = []
        self.refreshed = asyncio.Event()
        self.watch = AccessWatch(
            self.here.keys,
            self.here.known,
            self.connections,
            self.changes,
            sweep_s=0.01,
            others={"first": self._refresh_or_fail, "second": self._refresh},
        )

    async def _refresh_or_fail(self) -> None:
        if self.failures:
            raise self.failures.pop()

    async def _refresh(self) -> None:
        self.refreshed.set()

    async def holding(self, owner_id: str = "ann", **how: object) -> "asyncio.Task[None]":
        """A task that holds a connection with a key of this owner."""
        actor = await self.here.acting(owner_id, **how)
        self.principal = actor.principal
        held = asyncio.Event()
        task = asyncio.create_task(self._hold(actor.principal, held))
        await held.wait()
        return task

    async def _hold(self, principal: Principal, held: asyncio.Event) -> None:
        with self.connections.hold(principal):
            held.set()
            await asyncio.Event().wait()


@pytest.fixture
async def watched(database: TemporaryDatabase) -> AsyncGenerator[Watched]:
    pool = Database(database.dsn, pool_size=4)
    made = Watched(pool)
    watching = asyncio.create_task(made.watch.run())
    yield made
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    await pool.close()


async def end_elsewhere(other: Access, how: str, key_id: str) -> None:
    match how:
        case "revoked":
            await other.issued.revoke(COMMAND_LINE, key_id)
        case "rotated":
            await other.issued.rotate(COMMAND_LINE, key_id, overlap=timedelta(0))
        case "narrowed":
            await other.issued.change(COMMAND_LINE, key_id, scopes=CHAT)
        case "user":
            await other.users.change(COMMAND_LINE, "ann", DISABLED)
        case _:
            await other.tenants.change(COMMAND_LINE, "ann", DISABLED)


@pytest.mark.parametrize("how", ["revoked", "rotated", "narrowed", "user", "tenant"])
async def test_what_ends_elsewhere_is_cut_here(watched: Watched, how: str) -> None:
    bob = await watched.holding("bob")
    ann = await watched.holding()
    await end_elsewhere(watched.elsewhere, how, watched.principal.key_id)
    watched.changes.changed.set()
    with pytest.raises(KeyEnded):
        await ann
    assert not bob.done()
    bob.cancel()


async def test_what_allows_as_much_as_before_goes_on(watched: Watched) -> None:
    ann = await watched.holding(scopes=CHAT)
    key_id = watched.principal.key_id
    await watched.elsewhere.issued.change(COMMAND_LINE, key_id, name="new", scopes=Scopes())
    await watched.here.known.refresh()
    assert watched.connections.cut(watched.here.keys.ended) == 0
    assert not ann.done()
    ann.cancel()


async def test_a_key_that_expires_is_cut_without_a_change(watched: Watched) -> None:
    ann = await watched.holding(days=1)
    watched.here.clock.moment += DAY
    with pytest.raises(KeyEnded):
        await ann


async def test_a_key_that_was_forgotten_is_read_again(watched: Watched) -> None:
    ann = await watched.holding()
    key_id = watched.principal.key_id
    await watched.elsewhere.issued.revoke(COMMAND_LINE, key_id)
    watched.here.known.forget(key_id)
    with pytest.raises(KeyEnded):
        await ann


async def test_while_the_database_is_away_keys_are_as_they_were(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await watched.holding()
    asked = asyncio.Event()
    failures: list[Exception] = [Unavailable("away"), RuntimeError("broken")]
    real = watched.here.table.get_many

    async def failing(key_ids: object) -> object:
        if failures:
            raise failures.pop()
        asked.set()
        return await real(key_ids)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(watched.here.table, "get_many", failing)
    await watched.elsewhere.issued.revoke(COMMAND_LINE, watched.principal.key_id)
    watched.changes.changed.set()
    await asked.wait()
    with pytest.raises(KeyEnded):
        await ann


async def test_a_key_that_is_gone_from_the_table_is_cut(watched: Watched) -> None:
    ann = await watched.holding()
    async with watched.pool.use() as connection:
        await connection.execute(text("DELETE FROM api_keys"))
    watched.changes.changed.set()
    with pytest.raises(KeyEnded):
        await ann


async def test_a_connection_that_begins_while_keys_are_read_again_is_not_cut(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The query that is under way does not ask for its key."""
    await watched.here.made("bob")
    reading, go_on = asyncio.Event(), asyncio.Event()
    real = watched.here.table.get_many

    async def slow(key_ids: Collection[str]) -> list[StoredApiKey]:
        found = await real(key_ids)
        reading.set()
        await go_on.wait()
        return found

    bob = await watched.holding("bob")
    monkeypatch.setattr(watched.here.table, "get_many", slow)
    watched.changes.changed.set()
    await reading.wait()
    ann = await watched.holding()
    go_on.set()
    await watched.here.known.refresh()
    assert not ann.done()
    assert not bob.done()
    for task in (ann, bob):
        task.cancel()


@pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("a defect")])
async def test_what_cannot_be_read_keeps_nothing_else_from_being_read(
    watched: Watched, failure: Exception
) -> None:
    ann = await watched.holding()
    watched.refreshed.clear()
    watched.failures = [failure] * 1000
    async with watched.pool.use() as connection:
        await connection.execute(text("DELETE FROM api_keys"))
    watched.changes.changed.set()
    with pytest.raises(KeyEnded):
        await ann
    await watched.refreshed.wait()
    assert watched.failures


async def test_what_could_not_be_read_is_read_again(watched: Watched) -> None:
    watched.failures = [Unavailable("away"), ValueError("a defect")]
    watched.changes.changed.set()
    while watched.failures:
        watched.refreshed.clear()
        await watched.refreshed.wait()
