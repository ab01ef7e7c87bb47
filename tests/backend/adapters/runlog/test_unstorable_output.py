"""Output that the database refuses ends its own run only."""

import asyncio

import pytest
from tests.backend.adapters.runlog.executions import Execution, assert_ended, start_executions
from tests.backend.adapters.runlog.fixtures import Cluster, block_flushes, has_lock_waits
from tests.backend.adapters.runlog.watchdog import until, within

from cartrita.adapters.runlog.writer import Unstorable
from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import (
    Event,
    TextAppended,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.json import JsonValue


def deep(levels: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(levels):
        value = [value]
    return value


UNSTORABLE: list[Event] = [
    ToolCalled("c", "n", {"a": "\x00"}),
    ToolCalled("c", "n", {"a": "\ud800"}),
    TextAppended("\x00", 0),
    TextAppended("\ud800", 0),
]


@pytest.mark.parametrize("event", UNSTORABLE, ids=["NUL", "surrogate", "NUL text", "half a pair"])
async def test_only_the_run_with_unstorable_output_fails(cluster: Cluster, event: Event) -> None:
    async with cluster.replica() as log:
        offender, *others = await start_executions(log, 4)
        await offender.write("seen. ")
        await until(lambda: cluster.text(offender.run_id))
        async with block_flushes(cluster):
            await others[0].write("x")
            await until(lambda: has_lock_waits(cluster))
            await offender.add(event)
            for execution in others:
                await execution.write("fine")
        with pytest.raises(Unstorable) as refusal:
            await within(write_on(offender))
        await log.writer.end(offender.run_id, endings.unstorable(refusal.value))
        await within(asyncio.gather(*[execution.complete() for execution in others]))
        assert {await cluster.status(execution.run_id) for execution in others} == {"completed"}
        assert [await cluster.text(execution.run_id) for execution in others] == [
            "xfine",
            "fine",
            "fine",
        ]
        await assert_ended(cluster, offender, "failed")


async def write_on(execution: Execution) -> None:
    while True:
        await execution.write("on and on ")
        await asyncio.sleep(0)


async def test_a_run_with_refused_output_cannot_complete(
    cluster: Cluster,
) -> None:
    """The executor learns of the refusal only when it ends the run."""
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await execution.write("seen. ")
        await until(lambda: cluster.text(execution.run_id))
        await execution.add(ToolReturned("c", "n", "\x00", success=True))
        await until(lambda: log.writer._runs[execution.run_id].failure)
        whole = endings.completed(execution.claim, execution.answer, FinishReason.STOP, 1.0)
        with pytest.raises(Unstorable) as refusal:
            await within(log.writer.end(execution.run_id, whole))
        await within(log.writer.end(execution.run_id, endings.unstorable(refusal.value)))
        await assert_ended(cluster, execution, "failed")


async def test_a_refused_ending_can_be_replaced(
    cluster: Cluster,
) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await execution.write("seen. ")
        await until(lambda: cluster.text(execution.run_id))
        async with block_flushes(cluster):
            await execution.add(ToolCalled("c", "n", {"a": "\x00"}))
            await until(lambda: has_lock_waits(cluster))
            ending = asyncio.get_running_loop().create_task(execution.complete())
            await until(lambda: log.writer._runs[execution.run_id]._pending)
        with pytest.raises(Unstorable) as refusal:
            await within(ending)
        await within(log.writer.end(execution.run_id, endings.unstorable(refusal.value)))
        await assert_ended(cluster, execution, "failed")


async def test_a_cancellation_after_a_refusal_keeps_the_logged_text(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await execution.write("seen. ")
        await until(lambda: cluster.text(execution.run_id))
        await execution.add(ToolCalled("c", "n", {"a": "\x00"}))
        await until(lambda: log.writer._runs[execution.run_id].failure)
        await within(execution.cancelled())
        await assert_ended(cluster, execution, "cancelled")


@pytest.mark.parametrize("levels", [100_000, 900])
async def test_output_nested_too_deeply_is_unstorable(cluster: Cluster, levels: int) -> None:
    async with cluster.replica() as log:
        offender, other = await start_executions(log, 2)
        await offender.write("seen. ")
        await until(lambda: cluster.text(offender.run_id))
        await offender.add(ToolCalled("c", "n", {"a": deep(levels)}))
        with pytest.raises(Unstorable) as refusal:
            await within(write_on(offender))
        await log.writer.end(offender.run_id, endings.unstorable(refusal.value))
        await assert_ended(cluster, offender, "failed")
        await other.write("fine")
        await within(other.complete())


async def test_a_run_ends_without_its_message_if_that_is_refused(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await execution.write("seen. ")
        await until(lambda: cluster.text(execution.run_id))
        execution.answer.add(TextAppended("\x00", 6))
        with pytest.raises(Unstorable) as refusal:
            await within(log.writer.end(execution.run_id, endings.cancelled(execution.answer)))
        await within(log.writer.end(execution.run_id, endings.unstorable(refusal.value)))
        await assert_ended(cluster, execution, "failed")


async def test_an_event_of_another_writer_is_not_taken_for_an_own_commit(cluster: Cluster) -> None:
    async with cluster.replica() as log:
        [execution] = await start_executions(log, 1)
        await cluster.connection.execute(
            "INSERT INTO run_events (run_id, seq, data)"
            """ VALUES ($1, 2, '{"type": "reasoning_appended", "text": "of others"}')""",
            execution.run_id,
        )
        await execution.write("ours")
        with pytest.raises(Unstorable):
            await within(write_on(execution))
