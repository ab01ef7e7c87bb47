"""A writer that lost its lease while its flush was under way commits nothing any more (I11)."""

import asyncio
import signal
from typing import Any

import asyncpg
from tests.harness import evidence
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.story import Story, eventually

LONG = Script(words=300, between_tokens_s=0.04)
HASTY = {"CARTRITA_DATABASE_IDLE_IN_TRANSACTION_S": "1"}


async def _blocked_by(session: Any) -> bool:
    pids = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    return bool(await session.fetchval(pids, await session.fetchval("SELECT pg_backend_pid()")))


async def test_frozen_in_the_middle_of_a_flush(serve: Serve) -> None:
    """Its transaction stays open, fence held, until Postgres ends it; then it is deposed."""
    story = serve(settings=HASTY)
    serve(database_url=story.server.dsn, settings=HASTY)
    client = story.client(story.plan(LONG))
    holder: Any = await asyncpg.connect(story.server.dsn)
    workers = story.server.tree.workers
    async with asyncio.TaskGroup() as tasks:
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
            await holder.close()
    read = await story.sound(earlier=taken_over)
    assert read.runs[run].status == "interrupted"
    assert len(read.logs[run]) == len(before.logs[run]) + 1


async def test_deposed_while_it_waits_for_the_fence(killable: Story) -> None:
    """Whoever takes over holds the row; a flush that waited for it finds its epoch gone."""
    story = killable
    client = story.client(story.plan(Script(words=80, between_tokens_s=0.04)))
    usurper: Any = await asyncpg.connect(story.server.dsn)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await story.reading(client.record, 5)
        run = client.record.run
        async with usurper.transaction():
            await usurper.execute("SELECT 1 FROM replicas FOR UPDATE")
            await eventually(lambda: _blocked_by(usurper))
            before = await _events(story, run)
            await usurper.execute("UPDATE replicas SET epoch = epoch + 1, expires_at = '-infinity'")
        await story.ended(run)
    await usurper.close()
    read = await story.sound()
    assert read.runs[run].status == "interrupted"
    assert len(read.logs[run]) == before + 1


async def _events(story: Story, run: str) -> int:
    return len((await evidence.read(story.server.dsn, [run])).logs[run])
