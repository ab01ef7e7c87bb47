"""A writer that lost its lease while its flush was under way commits nothing any more (I11)."""

import asyncio
import signal
from typing import Any
from uuid import UUID

from tests.harness import evidence
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.story import Story, eventually

LONG = Script(words=300, between_tokens_s=0.04)
HASTY = {"CARTRITA_DATABASE_IDLE_IN_TRANSACTION_S": "1"}


async def _blocked_by(session: Any) -> int:
    """The process id of a database session that waits for this one."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    return await session.fetchval(waiting, session.get_server_pid()) or 0


async def test_frozen_in_the_middle_of_a_flush(serve: Serve) -> None:
    """Its transaction stays open, fence held, until Postgres ends it; then it is deposed."""
    story = serve(settings=HASTY)
    serve(database_url=story.server.dsn, settings=HASTY)
    client = story.client(story.plan(LONG))
    workers = story.server.tree.workers
    async with story.session() as holder, asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await story.reading(client.record, 5)
        try:
            async with holder.transaction():
                await holder.execute("LOCK TABLE run_events IN SHARE ROW EXCLUSIVE MODE")
                await eventually(lambda: _blocked_by(holder))
                story.server.send(workers, signal.SIGSTOP)
                run = client.record.run
                before = await evidence.read(story.server.dsn, [run])
            await story.ended(run)
            taken_over = await evidence.read(story.server.dsn, [run])
        finally:
            story.server.send(workers, signal.SIGCONT)
    read = await story.sound(earlier=taken_over)
    assert read.runs[run].status == "interrupted"
    assert len(read.logs[run]) == len(before.logs[run]) + 1


async def test_a_take_over_and_a_flush_under_way(killable: Story) -> None:
    """The flush is held open in its INSERT: whoever takes over has to wait for its commit."""
    story = killable
    client = story.client(story.plan(LONG))
    async with (
        story.session() as holder,
        story.session() as usurper,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(client.run())
        await story.reading(client.record, 5)
        async with holder.transaction():
            await holder.execute("LOCK TABLE run_events IN SHARE ROW EXCLUSIVE MODE")
            flush = await eventually(lambda: _blocked_by(holder))
            taking_over = tasks.create_task(_take_over(usurper, client.record.run))
            await eventually(lambda: _done_or_held_off(taking_over, usurper, flush, holder))
            assert not taking_over.done()
        await taking_over
    read = await story.sound()
    logged = len(read.logs[client.record.run])
    assert read.runs[client.record.run].status == "interrupted"
    assert logged == taking_over.result() + 1  # the end that the reaper wrote, and nothing else


async def _take_over(usurper: Any, run: str) -> int:
    """Raise the epoch as a reaper does; how many events the log held at that moment."""
    async with usurper.transaction():
        await usurper.execute("SELECT 1 FROM replicas FOR UPDATE")
        await usurper.execute("UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity'")
        count: int = await usurper.fetchval(
            "SELECT count(*) FROM run_events WHERE run_id = $1", UUID(run)
        )
    return count


async def _done_or_held_off(
    task: asyncio.Task[int], usurper: Any, flush: int, session: Any
) -> bool:
    holding = "SELECT $1 = ANY(pg_blocking_pids($2))"
    pid = usurper.get_server_pid()
    return task.done() or bool(await session.fetchval(holding, flush, pid))


async def test_deposed_while_it_waits_for_the_fence(killable: Story) -> None:
    """Whoever takes over holds the row; a flush that waited for it finds its epoch gone."""
    story = killable
    client = story.client(story.plan(Script(words=80, between_tokens_s=0.04)))
    async with story.session() as usurper, asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await story.reading(client.record, 5)
        run = client.record.run
        async with usurper.transaction():
            await usurper.execute("SELECT 1 FROM replicas FOR UPDATE")
            await eventually(lambda: _blocked_by(usurper))
            before = await _events(story, run)
            await usurper.execute("UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity'")
        await story.ended(run)
    read = await story.sound()
    assert read.runs[run].status == "interrupted"
    assert len(read.logs[run]) == before + 1


async def _events(story: Story, run: str) -> int:
    return len((await evidence.read(story.server.dsn, [run])).logs[run])
