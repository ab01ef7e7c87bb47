"""Runs that are stopped from outside: by a caller, a lost lease, the end of the server."""

import asyncio
from typing import Any

import pytest
from tests.backend.application.executor_fixture import (
    HALF,
    REST,
    ExecutorFixture,
    stopped,
    text_of,
)
from tests.backend.application.fakes import (
    DONE,
    WATCHDOG_S,
    FakeMessageStore,
    claim,
    until,
)
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.domain.errors import (
    LeaseLost,
    Unavailable,
    UpstreamError,
)
from cartrita.domain.events import (
    StopStatus,
    TextAppended,
    UsageRecorded,
)
from cartrita.domain.ids import RunId
from cartrita.domain.runs import (
    CancelRequested,
    LeaseRevoked,
    RunAvailable,
    RunStatus,
)
from cartrita.kit.ids import uuid7


async def test_a_cancel_keeps_what_was_seen_and_hangs_up() -> None:
    fixture, claimed = ExecutorFixture(HALF, asyncio.Event()), claim()
    async with fixture.open():
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        fixture.queue.tell(CancelRequested(claimed.run_id))
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.CANCELLED, "half ")
    assert stopped(ending).kind is StopStatus.CANCELLED
    assert fixture.provider.open == 0
    assert len(fixture.queue.tried) == 1


async def test_a_cancel_before_the_start_calls_no_model() -> None:
    fixture = ExecutorFixture(HALF, DONE)
    ending = await fixture.ending(claim(cancelled=True))
    assert ending.status is RunStatus.CANCELLED
    assert fixture.provider.requests == []


async def test_a_cancel_of_another_replicas_run_is_nothing() -> None:
    fixture, claimed = ExecutorFixture(HALF, DONE), claim()
    async with fixture.open():
        fixture.queue.tell(CancelRequested(RunId(uuid7())))
        fixture.queue.put(claimed)
        assert (await fixture.ended(claimed)).status is RunStatus.COMPLETED


async def test_a_cancel_while_the_history_is_awaited() -> None:
    class Away(FakeMessageStore):
        async def branch(self, *_: Any, **__: Any) -> Any:
            raise Unavailable("away")

    fixture, claimed = ExecutorFixture(DONE, history=Away()), claim()
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: claimed.run_id in fixture.executor._active)
        fixture.queue.tell(CancelRequested(claimed.run_id))
        assert (await fixture.ended(claimed)).status is RunStatus.CANCELLED


@pytest.mark.parametrize("trouble", [UpstreamError("late", provider="p"), OSError("late")])
async def test_trouble_in_hanging_up_does_not_hide_why(trouble: Exception) -> None:
    """A provider may fail while its stream is being left."""
    fixture, claimed = ExecutorFixture(HALF, asyncio.Event()), claim()
    fixture.provider.on_close = trouble
    async with fixture.open():
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.CANCELLED, "half ")
    assert fixture.kinds(claimed) == [TextAppended, UsageRecorded], "counted, and once"


async def test_a_cancel_is_heard_while_a_claim_takes_its_time() -> None:
    fixture, claimed = ExecutorFixture(HALF, asyncio.Event()), claim()
    async with fixture.open():
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        fixture.queue.slow_claim = asyncio.Event()
        fixture.queue.tell(RunAvailable())
        fixture.queue.tell(CancelRequested(claimed.run_id))
        assert (await fixture.ended(claimed)).status is RunStatus.CANCELLED


async def test_a_cancel_that_comes_with_the_end_changes_nothing() -> None:
    fixture, claimed = ExecutorFixture(HALF, DONE), claim()
    fixture.queue.slow_end = asyncio.Event()
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: fixture.queue.tried)
        fixture.queue.tell(CancelRequested(claimed.run_id))
        await until(fixture.queue.news.empty)
        fixture.queue.slow_end.set()
        assert (await fixture.ended(claimed)).status is RunStatus.COMPLETED


# Losing the lease


async def test_a_deposed_replica_says_nothing_more() -> None:
    fixture = ExecutorFixture(HALF, asyncio.Event())
    first, second = claim(), claim()
    async with fixture.open():
        fixture.queue.put(first, second)
        await fixture.spoken(first)
        await fixture.spoken(second)
        fixture.queue.tell(LeaseRevoked())
        await until(lambda: not fixture.executor._active)
    assert fixture.queue.tried == []
    assert fixture.provider.open == 0


@pytest.mark.parametrize("when", ["start", "append", "end"])
async def test_a_writer_that_says_so_is_believed(when: str) -> None:
    fixture, claimed = ExecutorFixture(HALF, DONE), claim()
    lost = LeaseLost("gone")
    if when == "start":
        fixture.queue.lease_lost = True
    elif when == "append":
        fixture.queue.append_fails = lost
    else:
        fixture.queue.end_fails = [lost]
    async with fixture.open():
        fixture.queue.put(claimed)
        await until(lambda: fixture.queue.forgotten)
        await until(lambda: not fixture.executor._active)
    assert fixture.queue.endings == {}
    assert fixture.provider.open == 0
    assert bool(fixture.provider.requests) is (when != "start"), "no model is asked without a lease"


async def test_the_same_run_may_come_again() -> None:
    """After a lost lease the run is claimed anew; the old attempt must not forget the new one."""
    fixture, claimed = ExecutorFixture(HALF, asyncio.Event()), claim()
    fixture.provider.slow_close = asyncio.Event()
    async with fixture.open():
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        old = fixture.executor._active[claimed.run_id]
        fixture.queue.tell(LeaseRevoked())
        fixture.queue.put(claim(run_id=claimed.run_id, attempt=2))
        await until(lambda: fixture.executor._active[claimed.run_id] is not old)
        fixture.provider.slow_close.set()
        await until(lambda: fixture.provider.open == 1 and len(fixture.provider.requests) == 2)
        assert fixture.executor._active[claimed.run_id].claim.attempt == 2
        assert fixture.queue.forgotten == []
        fixture.queue.tell(CancelRequested(claimed.run_id))
        ending = await fixture.ended(claimed)
    assert ending.status is RunStatus.CANCELLED


async def test_a_drain_lets_runs_finish() -> None:
    gate = asyncio.Event()
    fixture, claimed = ExecutorFixture(HALF, gate, REST, DONE), claim()
    async with fixture.open(), asyncio.TaskGroup() as tasks:
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        draining = tasks.create_task(fixture.executor.drain(WATCHDOG_S))
        await asyncio.sleep(0)
        assert not draining.done()
        gate.set()
        await draining
        assert text_of(fixture.queue.endings[claimed.run_id]) == "half an answer"


async def test_a_drain_that_has_waited_long_enough_hands_on_the_rest() -> None:
    """The unseen is released for anybody, the seen keeps its text and can be continued."""

    never = asyncio.Event()
    fixture = ExecutorFixture(provider=ScriptedProvider([HALF, never], [never]))
    seen, unseen = claim(), claim()
    async with fixture.open():
        fixture.queue.put(seen)
        await fixture.spoken(seen)
        fixture.queue.put(unseen)
        await until(lambda: len(fixture.provider.requests) == 2)
        async with asyncio.timeout(WATCHDOG_S):
            await fixture.executor.drain(0.01)
        assert fixture.queue.released == [unseen.run_id]
        ending = fixture.queue.endings[seen.run_id]
        assert (ending.status, text_of(ending)) == (RunStatus.INTERRUPTED, "half ")
        assert stopped(ending).recoverable
        assert fixture.provider.open == 0


async def test_a_drain_gives_back_what_has_not_begun() -> None:
    fixture, waiting = ExecutorFixture(HALF, DONE), claim()
    fixture.queue.claims.append(waiting)
    async with fixture.open():
        await fixture.executor.drain(1)
    assert fixture.queue.released == [waiting.run_id]


@pytest.mark.parametrize("trouble", [LeaseLost("gone"), Unavailable("away")], ids=type)
async def test_a_drain_without_a_database_ends_all_the_same(trouble: Exception) -> None:
    """What cannot be given back is found by its lease."""
    fixture, seen, waiting = ExecutorFixture(HALF, asyncio.Event()), claim(), claim()
    async with fixture.open():
        fixture.queue.put(seen)
        await fixture.spoken(seen)
        fixture.queue.release_fails = trouble
        fixture.queue.end_fails = [trouble, trouble]
        fixture.queue.claims.append(waiting)
        async with asyncio.timeout(WATCHDOG_S):
            await fixture.executor.drain(0.01)
    assert fixture.queue.released == []


async def test_an_idle_drain_is_over_at_once() -> None:
    fixture = ExecutorFixture()
    async with fixture.open(), asyncio.timeout(WATCHDOG_S):
        await fixture.executor.drain(600)
