"""Readers of one byte per second cost little memory and slow no other reader."""

import asyncio

from tests.harness import processes
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.observations import Stall
from tests.harness.records import Record
from tests.harness.scenario import Scenario, until

FEW, MANY = 20, 400
"""So many that what the heap grows by for other reasons (about 10 MB) is small beside them."""
AT_ONCE = 50
LONG = Script(words=12_000, tokens_per_delta=8)


async def test_slow_readers(serve: Serve) -> None:
    """The same twice, with few and with many: the difference is what the readers cost."""
    scenario = serve()
    async with asyncio.TaskGroup() as tasks:
        before, few = await _stalled_beside_a_fast_reader(scenario, FEW, tasks)
        after, many = await _stalled_beside_a_fast_reader(scenario, MANY, tasks)
        for task in (*few, *many):
            task.cancel()
    await scenario.check(stalls=[Stall(MANY, before, after, others_finished=True)])


async def _stalled_beside_a_fast_reader(
    scenario: Scenario, readers: int, tasks: asyncio.TaskGroup
) -> tuple[int, list[asyncio.Task[Record]]]:
    """The memory of the server when a fast reader is done and the slow ones still stall."""
    plan = scenario.plan(LONG)
    slow = [
        scenario.client(scenario.plan(message=plan.message, token=plan.token, slow_read_s=3600.0))
        for _ in range(readers)
    ]
    stalled: list[asyncio.Task[Record]] = []
    for first in range(0, readers, AT_ONCE):
        some = slow[first : first + AT_ONCE]
        stalled += [tasks.create_task(client.run()) for client in some]
        await until(lambda some=some: all(_connected(client.record) for client in some))
    del scenario.records[-readers:]  # their stories have no end
    fast = scenario.client(plan)
    await fast.run()
    assert fast.record.text() == scenario.answers[plan.message]
    assert {client.record.outcome for client in slow} == {"running"}
    workers = (await asyncio.to_thread(lambda: scenario.server.tree)).workers
    return await asyncio.to_thread(processes.memory_bytes, workers), stalled


def _connected(record: Record) -> bool:
    return bool(record.connections) and record.connections[0].status == 200
