"""Runs that are stopped from outside: by a caller, a lost lease, the end of the server."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
from tests.backend.application.office import (
    HALF,
    REST,
    Office,
    stopped,
    text_of,
)
from tests.backend.application.stand_ins import (
    DONE,
    WATCHDOG_S,
    Branch,
    Provider,
    claim,
    gateway,
    until,
)

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
from cartrita.domain.runs import (
    CancelRequested,
    LeaseRevoked,
    RunAvailable,
    RunStatus,
)
from cartrita.kit.ids import RunId, uuid7


async def test_a_cancel_keeps_what_was_seen_and_hangs_up() -> None:
    office, claimed = Office(HALF, asyncio.Event()), claim()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.tell(CancelRequested(claimed.run_id))
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.CANCELLED, "half ")
    assert stopped(ending).kind is StopStatus.CANCELLED
    assert office.provider.open == 0
    assert len(office.desk.tried) == 1


async def test_a_cancel_before_the_start_calls_no_model() -> None:
    office = Office(HALF, DONE)
    ending = await office.ending(claim(cancelled=True))
    assert ending.status is RunStatus.CANCELLED
    assert office.provider.requests == []


async def test_a_cancel_of_another_replicas_run_is_nothing() -> None:
    office, claimed = Office(HALF, DONE), claim()
    async with office.open():
        office.desk.tell(CancelRequested(RunId(uuid7())))
        office.desk.put(claimed)
        assert (await office.ended(claimed)).status is RunStatus.COMPLETED


async def test_a_cancel_while_the_history_is_awaited() -> None:
    class Away(Branch):
        async def branch(self, *_: Any, **__: Any) -> Any:
            raise Unavailable("away")

    office, claimed = Office(DONE, history=Away()), claim()
    async with office.open():
        office.desk.put(claimed)
        await until(lambda: claimed.run_id in office.executor._active)
        office.desk.tell(CancelRequested(claimed.run_id))
        assert (await office.ended(claimed)).status is RunStatus.CANCELLED


@pytest.mark.parametrize("trouble", [UpstreamError("late", provider="p"), OSError("late")])
async def test_trouble_in_hanging_up_does_not_hide_why(trouble: Exception) -> None:
    """A provider may fail while its stream is being left."""
    office, claimed = Office(HALF, asyncio.Event()), claim()
    office.provider.on_close = trouble
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert (ending.status, text_of(ending)) == (RunStatus.CANCELLED, "half ")
    assert office.kinds(claimed) == [TextAppended, UsageRecorded], "counted, and once"


async def test_a_cancel_is_heard_while_a_claim_takes_its_time() -> None:
    office, claimed = Office(HALF, asyncio.Event()), claim()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        office.desk.slow_claim = asyncio.Event()
        office.desk.tell(RunAvailable())
        office.desk.tell(CancelRequested(claimed.run_id))
        assert (await office.ended(claimed)).status is RunStatus.CANCELLED


async def test_a_cancel_that_comes_with_the_end_changes_nothing() -> None:
    office, claimed = Office(HALF, DONE), claim()
    office.desk.slow_end = asyncio.Event()
    async with office.open():
        office.desk.put(claimed)
        await until(lambda: office.desk.tried)
        office.desk.tell(CancelRequested(claimed.run_id))
        await until(office.desk.news.empty)
        office.desk.slow_end.set()
        assert (await office.ended(claimed)).status is RunStatus.COMPLETED


# Losing the lease


async def test_a_deposed_replica_says_nothing_more() -> None:
    office = Office(HALF, asyncio.Event())
    first, second = claim(), claim()
    async with office.open():
        office.desk.put(first, second)
        await office.spoken(first)
        await office.spoken(second)
        office.desk.tell(LeaseRevoked())
        await until(lambda: not office.executor._active)
    assert office.desk.tried == []
    assert office.provider.open == 0


@pytest.mark.parametrize("when", ["append", "end"])
async def test_a_writer_that_says_so_is_believed(when: str) -> None:
    office, claimed = Office(HALF, DONE), claim()
    lost = LeaseLost("gone")
    if when == "append":
        office.desk.append_fails = lost
    else:
        office.desk.end_fails = [lost]
    async with office.open():
        office.desk.put(claimed)
        await until(lambda: office.desk.forgotten)
        await until(lambda: not office.executor._active)
    assert office.desk.endings == {}
    assert office.provider.open == 0


async def test_the_same_run_may_come_again() -> None:
    """After a lost lease the run is claimed anew; the old attempt must not forget the new one."""
    office, claimed = Office(HALF, asyncio.Event()), claim()
    office.provider.slow_close = asyncio.Event()
    async with office.open():
        office.desk.put(claimed)
        await office.spoken(claimed)
        old = office.executor._active[claimed.run_id]
        office.desk.tell(LeaseRevoked())
        office.desk.put(claim(run_id=claimed.run_id, attempt=2))
        await until(lambda: office.executor._active[claimed.run_id] is not old)
        office.provider.slow_close.set()
        await until(lambda: office.provider.open == 1 and len(office.provider.requests) == 2)
        assert office.executor._active[claimed.run_id].claim.attempt == 2
        assert office.desk.forgotten == []
        office.desk.tell(CancelRequested(claimed.run_id))
        ending = await office.ended(claimed)
    assert ending.status is RunStatus.CANCELLED


async def test_a_drain_lets_runs_finish() -> None:
    gate = asyncio.Event()
    office, claimed = Office(HALF, gate, REST, DONE), claim()
    async with office.open(), asyncio.TaskGroup() as tasks:
        office.desk.put(claimed)
        await office.spoken(claimed)
        draining = tasks.create_task(office.executor.drain(WATCHDOG_S))
        await asyncio.sleep(0)
        assert not draining.done()
        gate.set()
        await draining
        assert text_of(office.desk.endings[claimed.run_id]) == "half an answer"


async def test_a_drain_that_has_waited_long_enough_hands_on_the_rest() -> None:
    """The unseen is released for anybody, the seen keeps its text and can be continued."""

    class Slow(Provider):
        async def _deltas(self) -> AsyncGenerator[Any]:
            if len(self.requests) == 1:
                yield HALF
            await anyio.sleep_forever()

    office, seen, unseen = Office(), claim(), claim()
    office.provider = Slow()
    office.executor._gateway = gateway(office.provider)
    async with office.open():
        office.desk.put(seen)
        await office.spoken(seen)
        office.desk.put(unseen)
        await until(lambda: len(office.provider.requests) == 2)
        async with asyncio.timeout(WATCHDOG_S):
            await office.executor.drain(0.01)
        assert office.desk.released == [unseen.run_id]
        ending = office.desk.endings[seen.run_id]
        assert (ending.status, text_of(ending)) == (RunStatus.INTERRUPTED, "half ")
        assert stopped(ending).recoverable
        assert office.provider.open == 0


async def test_a_drain_gives_back_what_has_not_begun() -> None:
    office, waiting = Office(HALF, DONE), claim()
    office.desk.claims.append(waiting)
    async with office.open():
        await office.executor.drain(1)
    assert office.desk.released == [waiting.run_id]


@pytest.mark.parametrize("trouble", [LeaseLost("gone"), Unavailable("away")], ids=type)
async def test_a_drain_without_a_database_ends_all_the_same(trouble: Exception) -> None:
    """What cannot be given back is found by its lease."""
    office, seen, waiting = Office(HALF, asyncio.Event()), claim(), claim()
    async with office.open():
        office.desk.put(seen)
        await office.spoken(seen)
        office.desk.release_fails = trouble
        office.desk.end_fails = [trouble, trouble]
        office.desk.claims.append(waiting)
        async with asyncio.timeout(WATCHDOG_S):
            await office.executor.drain(0.01)
    assert office.desk.released == []


async def test_an_idle_drain_is_over_at_once() -> None:
    office = Office()
    async with office.open(), asyncio.timeout(WATCHDOG_S):
        await office.executor.drain(600)
