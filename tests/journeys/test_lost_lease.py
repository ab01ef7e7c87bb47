"""A writer that loses its lease during a flush commits nothing more (I11)."""

import asyncio
import signal
from typing import Any
from uuid import UUID

from tests.harness import evidence
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually

LONG = Script(words=300, between_tokens_s=0.04)
HASTY = {"CARTRITA_DATABASE_IDLE_IN_TRANSACTION_S": "1"}


async def _blocked_by(session: Any) -> int:
    """The process id of a database session that waits for this one."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    return await session.fetchval(waiting, session.get_server_pid()) or 0


async def test_frozen_during_a_flush(serve: Serve) -> None:
    """Its transaction stays open until Postgres ends it; then another server settles the run."""
    scenario = serve(settings=HASTY)
    serve(database_url=scenario.server.dsn, settings=HASTY)
    client = scenario.client(scenario.plan(LONG))
    workers = scenario.server.tree.workers
    async with scenario.connection() as holder, asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await scenario.received(client.record, 5)
        try:
            async with holder.transaction():
                await holder.execute("LOCK TABLE run_events IN SHARE ROW EXCLUSIVE MODE")
                await eventually(lambda: _blocked_by(holder))
                scenario.server.send(workers, signal.SIGSTOP)
                run = client.record.run
                before = await evidence.read(scenario.server.dsn, [run])
            await scenario.ended(run)
            taken_over = await evidence.read(scenario.server.dsn, [run])
        finally:
            scenario.server.send(workers, signal.SIGCONT)
    read = await scenario.check(earlier=taken_over)
    assert read.runs[run].status == "interrupted"
    assert len(read.logs[run]) == len(before.logs[run]) + 1


async def test_takeover_during_a_flush(killable: Scenario) -> None:
    """The flush is held open in its INSERT: whoever takes over has to wait for its commit."""
    scenario = killable
    client = scenario.client(scenario.plan(LONG))
    async with (
        scenario.connection() as holder,
        scenario.connection() as other,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(client.run())
        await scenario.received(client.record, 5)
        async with holder.transaction():
            await holder.execute("LOCK TABLE run_events IN SHARE ROW EXCLUSIVE MODE")
            flush = await eventually(lambda: _blocked_by(holder))
            taking_over = tasks.create_task(_take_over(other, client.record.run))
            await eventually(lambda: _done_or_held_off(taking_over, other, flush, holder))
            assert not taking_over.done()
        await taking_over
    read = await scenario.check()
    logged = len(read.logs[client.record.run])
    assert read.runs[client.record.run].status == "interrupted"
    assert logged == taking_over.result() + 1  # the end that the reaper wrote, and nothing else


async def _take_over(other: Any, run: str) -> int:
    """Raise the epoch as a reaper does; how many events the log held at that moment."""
    async with other.transaction():
        await other.execute("SELECT 1 FROM replicas FOR UPDATE")
        await other.execute("UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity'")
        count: int = await other.fetchval(
            "SELECT count(*) FROM run_events WHERE run_id = $1", UUID(run)
        )
    return count


async def _done_or_held_off(task: asyncio.Task[int], other: Any, flush: int, session: Any) -> bool:
    holding = "SELECT $1 = ANY(pg_blocking_pids($2))"
    pid = other.get_server_pid()
    return task.done() or bool(await session.fetchval(holding, flush, pid))


async def test_lease_lost_while_waiting_for_the_fence(killable: Scenario) -> None:
    """Whoever takes over holds the row; a flush that waited for it finds its epoch gone."""
    scenario = killable
    client = scenario.client(scenario.plan(Script(words=80, between_tokens_s=0.04)))
    async with scenario.connection() as other, asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await scenario.received(client.record, 5)
        run = client.record.run
        async with other.transaction():
            await other.execute("SELECT 1 FROM replicas FOR UPDATE")
            await eventually(lambda: _blocked_by(other))
            before = await _events(scenario, run)
            await other.execute("UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity'")
        await scenario.ended(run)
    read = await scenario.check()
    assert read.runs[run].status == "interrupted"
    assert len(read.logs[run]) == before + 1


async def _events(scenario: Scenario, run: str) -> int:
    return len((await evidence.read(scenario.server.dsn, [run])).logs[run])
