"""Single-use rights in Postgres."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, BOB, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import NOTHING
from cartrita.domain.tickets import Ticket
from cartrita.kit import clock

MINUTE = timedelta(minutes=1)
DIGEST = b"d" * 32


@pytest.fixture
def table(pool: Database) -> TicketTable:
    return TicketTable(pool)


def a_ticket(**values: Any) -> Ticket:
    given: dict[str, Any] = {
        "kind": "stream",
        "principal": Principal(ANN, "key", scopes=NOTHING),
        "expires_at": clock.now() + MINUTE,
        "origin": "http://localhost:8000",
        "client_msg_id": "c",
        **values,
    }
    return Ticket(**given)


async def test_a_ticket_is_used_once(table: TicketTable) -> None:
    ticket = a_ticket()
    await table.add(DIGEST, ticket)
    assert await table.used(DIGEST, "stream") is None
    used = await table.use(DIGEST, "stream")
    assert used is not None
    assert used.used_at is not None
    assert msgspec.structs.replace(used, used_at=None) == ticket
    assert await table.use(DIGEST, "stream") is None
    assert await table.used(DIGEST, "stream") == used


async def test_of_many_who_try_at_once_one_succeeds(table: TicketTable) -> None:
    await table.add(DIGEST, a_ticket())
    tries = await asyncio.gather(*(table.use(DIGEST, "stream") for _ in range(40)))
    assert len([ticket for ticket in tries if ticket is not None]) == 1


async def test_what_does_not_open(table: TicketTable) -> None:
    await table.add(DIGEST, a_ticket())
    await table.add(b"old", a_ticket(expires_at=clock.now() - MINUTE))
    assert await table.use(DIGEST, "sign_in") is None  # another kind
    assert await table.use(b"unknown", "stream") is None
    assert await table.use(b"old", "stream") is None
    assert await table.used(b"old", "stream") is None
    assert await table.use(DIGEST, "stream") is not None  # none of that has spent it
    assert await table.used(DIGEST, "sign_in") is None


async def test_what_a_ticket_started(
    table: TicketTable, pool: Database, database: TemporaryDatabase
) -> None:
    talk = await stored_conversation(pool)
    [message] = await stored_branch(pool, talk, "hello")
    running = await stored_run(
        database.dsn, talk, message.id, status="running", client_msg_id="now"
    )
    ended = await stored_run(
        database.dsn, talk, message.id, client_msg_id="then", ended_ago=timedelta(hours=1)
    )
    await stored_run(database.dsn, talk, message.id)
    assert await table.started(a_ticket(client_msg_id="now")) == (running, None)
    started = await table.started(a_ticket(client_msg_id="then"))
    assert started is not None
    assert started[0] == ended
    assert started[1] is not None
    assert await table.started(a_ticket(client_msg_id="never")) is None
    assert await table.started(a_ticket(client_msg_id=None)) is None
    bobs = a_ticket(client_msg_id="now", principal=Principal(BOB, "key"))
    assert await table.started(bobs) is None


async def test_old_tickets_are_swept(table: TicketTable) -> None:
    hour = timedelta(hours=1)
    await table.add(b"new", a_ticket())
    await table.add(b"old", a_ticket(expires_at=clock.now() + MINUTE))
    await table.use(b"old", "stream")
    await table.add(b"older", a_ticket(expires_at=clock.now() - 3 * hour))
    assert await table.sweep(hour) == 1
    assert await table.sweep(-hour) == 2
    assert await table.used(b"old", "stream") is None
    assert await table.sweep() == 0
