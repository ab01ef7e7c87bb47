"""Readers who take a byte a second hold little memory and slow nobody."""

import asyncio

from tests.harness import processes
from tests.harness.case import Stall
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.records import Record
from tests.harness.story import until

READERS = 60
LONG = Script(words=12_000, tokens_per_delta=8)


async def test_slow_readers(serve: Serve) -> None:
    story = serve()
    await story.say(
        Script(words=2_000)
    )  # what the first answer makes the server load is no reader's
    workers = (await asyncio.to_thread(lambda: story.server.tree)).workers
    before = await asyncio.to_thread(processes.memory_bytes, workers)
    plan = story.plan(LONG)
    fast = story.client(plan)
    slow = [
        story.client(story.plan(message=plan.message, token=plan.token, dawdle_s=3600.0))
        for _ in range(READERS)
    ]
    async with asyncio.TaskGroup() as tasks:
        stalled = [tasks.create_task(client.run()) for client in slow]
        await until(lambda: all(_connected(client.record) for client in slow))
        await fast.run()
        after = await asyncio.to_thread(processes.memory_bytes, workers)
        stall = Stall(READERS, before, after, fast.record.outcome == "ended")
        for task in stalled:
            task.cancel()
    story.records[:] = [fast.record]
    assert not any(client.record.outcome == "ended" for client in slow)
    assert fast.record.text() == story.said[plan.message]
    await story.sound(stalls=[stall])


def _connected(record: Record) -> bool:
    return bool(record.connections) and record.connections[0].status == 200
