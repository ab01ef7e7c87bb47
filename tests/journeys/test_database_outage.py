"""Database outages: nothing that a client received is lost, buffered events arrive later."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from tests.harness import processes, raw_http
from tests.harness.clients import Client
from tests.harness.command import PROGRAM
from tests.harness.external_postgres import ExternalPostgres
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually, until
from tests.harness.server import KEY
from tests.journeys.v1 import post

SCRIPT = Script(words=60, between_tokens_s=0.04)
PATIENT = {"CARTRITA_RUN_LOG_HEARTBEAT_S": "1", "CARTRITA_DATABASE_CONNECT_TIMEOUT_S": "1"}


@pytest.fixture(scope="module")
def external() -> Iterator[ExternalPostgres]:
    with ExternalPostgres(max_connections=60) as postgres:
        yield postgres


async def test_restart_mid_answer(serve: Serve, external: ExternalPostgres) -> None:
    scenario = serve(database_url=external.dsn, lease_s=30.0, settings=PATIENT)
    clients = [scenario.client(scenario.plan(SCRIPT)) for _ in range(5)]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
        for client in clients:
            await scenario.received(client.record, 4)
        await asyncio.to_thread(external.stop)
        try:
            await _while_it_is_away(scenario, clients[0].record.run)
        finally:
            await asyncio.to_thread(external.start)
    await asyncio.to_thread(scenario.server.wait_ready)
    read = await scenario.check()
    assert {run.status for run in read.runs.values()} == {"completed"}
    assert len(await scenario.fetch("SELECT 1 FROM runs")) == len(clients)


async def _while_it_is_away(scenario: Scenario, run: str) -> None:
    async def away() -> bool:
        return not await asyncio.to_thread(scenario.server.ready)

    await eventually(away)
    key = {"X-API-Key": KEY}
    async with await raw_http.request(scenario.server.port, "GET", "/health") as answer:
        assert answer.status == 200
    json = {**key, "Content-Type": "application/json"}
    chat = b'{"message": "Is anybody there?"}'
    async with await raw_http.request(
        scenario.server.port, "POST", "/api/chat", json, chat
    ) as answer:
        body = await answer.body()
        assert answer.status == 503, body
        assert int(answer.headers["retry-after"]) > 0
        assert b'"code"' in body
    again = {**key, "Last-Event-ID": f"run_{run}.2"}
    path = "/api/chat/stream?message=x"
    async with await raw_http.request(scenario.server.port, "GET", path, again) as answer:
        assert answer.status == 200
        assert b"retry:" in await answer.body()


async def test_repeatedly_terminated_sessions(serve: Serve, external: ExternalPostgres) -> None:
    """Lost wake-ups and commits without an answer cost time and nothing else (I15)."""
    scenario = serve(database_url=external.dsn, workers=2, lease_s=30.0)
    clients = [
        scenario.client(scenario.plan(SCRIPT, leave_after=(3, 4, 5) if number % 2 else ()))
        for number in range(10)
    ]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
        for client in clients:
            await scenario.received(client.record, 2)
        for _ in range(6):
            await scenario.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'cartrita' AND pid <> pg_backend_pid()"
            )
            before = sum(client.record.last_seq for client in clients)
            await until(lambda before=before: _moved(clients, before))
    read = await scenario.check()
    assert {run.status for run in read.runs.values()} == {"completed"}


def _moved(clients: list[Client], before: int) -> bool:
    now = sum(client.record.last_seq for client in clients)
    return now > before or all(client.record.outcome != "running" for client in clients)


async def test_connections_exhausted(serve: Serve, external: ExternalPostgres) -> None:
    scenario = serve(database_url=external.dsn, lease_s=30.0, settings=PATIENT)
    client = scenario.client(scenario.plan(SCRIPT))
    taken: list[Any] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await scenario.received(client.record, 3)
        try:
            with pytest.raises(asyncpg.TooManyConnectionsError):
                await _take_all(external.dsn, taken)
            body = {"message": "Is there room?"}
            answers = [await scenario.call("POST", "/api/chat/stream", body) for _ in range(12)]
            received = client.record.last_seq
            await until(lambda: _moved([client], received))
        finally:
            for connection in taken:
                await connection.close()
    statuses = {status for status, _ in answers}
    assert statuses <= {200, 503}
    read = await scenario.check()
    assert read.runs[client.record.run].status == "completed"


async def test_a_database_that_gives_no_answer(serve: Serve) -> None:
    """What is stored is refused in seconds; what is passed on does not notice."""
    settings = {"CARTRITA_DATABASE_STATEMENT_TIMEOUT_S": "0.5"}
    scenario = serve(lease_s=30.0, settings=settings)
    relayed = {"model": "openai/fake", "messages": [{"role": "user", "content": "hello"}]}
    key = await _another_key(scenario)
    assert (await post(scenario, "/v1/chat/completions", relayed, Authorization=key))[0] == 200
    cluster = scenario.server.tree.cluster
    processes.send(cluster, signal.SIGSTOP)
    try:
        kept = [{**relayed, "store": True}, {**relayed, "conversation_id": "frozen"}]
        refused = await asyncio.gather(
            *(post(scenario, "/v1/chat/completions", body) for body in kept),
            scenario.call("GET", "/api/conversations"),
            scenario.call("POST", "/api/chat", {"message": "Is anybody there?"}),
        )
        for _ in range(3):
            status, _, _ = await post(scenario, "/v1/chat/completions", relayed, Authorization=key)
            assert status == 200
    finally:
        processes.send(cluster, signal.SIGCONT)
    assert [answer[0] for answer in refused] == [503] * 4
    assert all(int(answer[1]["retry-after"]) > 0 for answer in refused[:2])

    async def answers() -> bool:
        return (await post(scenario, "/v1/chat/completions", kept[0]))[0] == 200

    await eventually(answers)


async def _another_key(scenario: Scenario) -> str:
    """A key that is in the database, as a header's value."""
    made = await asyncio.create_subprocess_exec(
        PROGRAM,
        *("keys", "create", "other"),
        env=scenario.server.environment,
        cwd=scenario.server.root,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await made.communicate()
    return f"Bearer {printed.decode().split()[-1]}"


async def _take_all(dsn: str, taken: list[Any]) -> None:
    while True:
        taken.append(await asyncpg.connect(dsn))


@pytest.mark.parametrize(
    ("table", "method", "path", "body"),
    [
        ("conversations", "GET", "/api/conversations", None),
        ("messages", "POST", "/api/chat", {"message": "Is anybody there?"}),
    ],
)
async def test_a_statement_that_takes_too_long(
    serve: Serve, table: str, method: str, path: str, body: Any
) -> None:
    scenario = serve(lease_s=30.0, settings={"CARTRITA_DATABASE_STATEMENT_TIMEOUT_S": "0.5"})
    async with scenario.connection() as other, other.transaction():
        await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        status, refused = await scenario.call(method, path, body)
    assert (status, refused["code"]) == (503, "database_slow")
    assert "took too long" in refused["error"]
    assert "cannot be reached" not in refused["error"]
    status, _ = await scenario.call(method, path, body)
    assert status == 200


async def test_embedded_database_told_to_stop_by_somebody_else(serve: Serve) -> None:
    """PostgreSQL would wait for our connections and refuse new ones, for good."""
    scenario = serve()
    await scenario.chat()
    postmaster = scenario.server.tree.postmaster
    assert postmaster is not None
    processes.send([postmaster], signal.SIGTERM)

    async def another() -> bool:
        tree = await asyncio.to_thread(lambda: scenario.server.tree)
        return tree.postmaster not in (None, postmaster)

    async def answers() -> bool:
        body = {"message": scenario.message(Script(words=3)), "provider": "openai", "model": "fake"}
        return (await scenario.call("POST", "/api/chat", body))[0] == 200

    await eventually(another)
    await eventually(answers)
