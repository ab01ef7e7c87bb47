"""The database goes away and comes back: what was seen stays, what was held arrives."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from tests.harness import wire
from tests.harness.clients import Client
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.outside import OutsidePostgres
from tests.harness.server import KEY
from tests.harness.story import Story, eventually, until

SCRIPT = Script(words=60, between_tokens_s=0.04)
PATIENT = {"CARTRITA_RUN_LOG_HEARTBEAT_S": "1", "CARTRITA_DATABASE_CONNECT_TIMEOUT_S": "1"}


@pytest.fixture(scope="module")
def outside() -> Iterator[OutsidePostgres]:
    with OutsidePostgres(max_connections=60) as postgres:
        yield postgres


async def test_restarted_mid_answer(serve: Serve, outside: OutsidePostgres) -> None:
    story = serve(database_url=outside.dsn, lease_s=30.0, settings=PATIENT)
    clients = [story.client(story.plan(SCRIPT)) for _ in range(5)]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
        for client in clients:
            await story.reading(client.record, 4)
        await asyncio.to_thread(outside.stop)
        try:
            await _while_it_is_away(story, clients[0].record.run)
        finally:
            await asyncio.to_thread(outside.start)
    await asyncio.to_thread(story.server.wait_ready)
    read = await story.sound()
    assert {run.status for run in read.runs.values()} == {"completed"}
    assert len(await story.fetch("SELECT 1 FROM runs")) == len(clients)


async def _while_it_is_away(story: Story, run: str) -> None:
    async def away() -> bool:
        return not await asyncio.to_thread(story.server.ready)

    await eventually(away)
    key = {"X-API-Key": KEY}
    async with await wire.ask(story.server.port, "GET", "/health") as answer:
        assert answer.status == 200
    json = {**key, "Content-Type": "application/json"}
    body = b'{"message": "Is anybody there?"}'
    async with await wire.ask(story.server.port, "POST", "/api/chat", json, body) as answer:
        told = await answer.body()
        assert answer.status == 503, told
        assert int(answer.headers["retry-after"]) > 0
        assert b'"code"' in told
    again = {**key, "Last-Event-ID": f"run_{run}.2"}
    path = "/api/chat/stream?message=x"
    async with await wire.ask(story.server.port, "GET", path, again) as answer:
        assert answer.status == 200
        assert b"retry:" in await answer.body()


async def test_sessions_are_cut_again_and_again(serve: Serve, outside: OutsidePostgres) -> None:
    """Lost wake-ups and commits without an answer cost time and nothing else (I15)."""
    story = serve(database_url=outside.dsn, workers=2, lease_s=30.0)
    clients = [
        story.client(story.plan(SCRIPT, leave_after=(3, 4, 5) if number % 2 else ()))
        for number in range(10)
    ]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
        for client in clients:
            await story.reading(client.record, 2)
        for _ in range(6):
            await story.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'cartrita' AND pid <> pg_backend_pid()"
            )
            before = sum(client.record.last_seq for client in clients)
            await until(lambda before=before: _moved(clients, before))
    read = await story.sound()
    assert {run.status for run in read.runs.values()} == {"completed"}


def _moved(clients: list[Client], before: int) -> bool:
    now = sum(client.record.last_seq for client in clients)
    return now > before or all(client.record.outcome != "running" for client in clients)


async def test_connections_exhausted(serve: Serve, outside: OutsidePostgres) -> None:
    story = serve(database_url=outside.dsn, lease_s=30.0, settings=PATIENT)
    client = story.client(story.plan(SCRIPT))
    taken: list[Any] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await story.reading(client.record, 3)
        try:
            with pytest.raises(asyncpg.TooManyConnectionsError):
                await _take_all(outside.dsn, taken)
            body = {"message": "Is there room?"}
            answers = [await story.call("POST", "/api/chat/stream", body) for _ in range(12)]
            heard = client.record.last_seq
            await until(lambda: client.record.last_seq > heard)
        finally:
            for connection in taken:
                await connection.close()
    statuses = {status for status, _ in answers}
    assert statuses <= {200, 503}
    read = await story.sound()
    assert read.runs[client.record.run].status == "completed"


async def _take_all(dsn: str, taken: list[Any]) -> None:
    while True:
        taken.append(await asyncpg.connect(dsn))
