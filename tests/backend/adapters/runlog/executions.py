"""Executing and reading runs in tests, as an executor and its readers do."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.backend.adapters.runlog.fixtures import Cluster, admission, pool_is_idle
from tests.backend.adapters.runlog.watchdog import WATCHDOG_S, until, within

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import Event, LoggedEvent, TextAppended, UsageRecorded
from cartrita.domain.fold import Fold
from cartrita.domain.ids import RunId
from cartrita.domain.runs import (
    Claim,
    LeaseRevoked,
    RunAvailable,
    Signal,
    TailItem,
)
from cartrita.domain.usage import Usage


async def maintain(log: RunLog) -> None:
    """Maintain now, but not while the replica's own loop does."""
    await until(lambda: pool_is_idle(log))
    await within(log._maintenance.maintain())


class Execution:
    """One claimed run, whose events the test writes."""

    def __init__(self, log: RunLog, claim: Claim) -> None:
        self.claim = claim
        self.run_id = claim.run_id
        self.answer = Fold()
        self._log = log

    async def add(self, event: Event) -> None:
        self.answer.add(event)
        await self._log.writer.append(self.run_id, event)

    async def write(self, *texts: str) -> None:
        """Append these texts to the answer."""
        for text in texts:
            await self.add(TextAppended(text, self.answer.length))

    async def complete(self) -> None:
        await self.add(UsageRecorded(Usage(1, 2), 0.5))
        ending = endings.completed(self.claim, self.answer, FinishReason.STOP, 1.0)
        await self._log.writer.end(self.run_id, ending)

    async def cancelled(self) -> None:
        await self._log.writer.end(self.run_id, endings.cancelled(self.answer))


async def next_signal(log: RunLog, kind: type[Signal]) -> Signal:
    """The next signal of a kind; signals of other kinds are dropped."""
    async with asyncio.timeout(WATCHDOG_S):
        async for signal in log.queue.signals():
            if isinstance(signal, kind):
                return signal
    raise AssertionError


async def claim_next(log: RunLog) -> Execution:
    """Wait for an available run and claim it."""
    while True:
        await next_signal(log, RunAvailable)
        claim = await within(log.queue.claim())
        if claim is not None:
            return Execution(log, claim)


async def lease_loss(log: RunLog) -> None:
    await next_signal(log, LeaseRevoked)


async def read_all(log: RunLog, run_id: RunId, after: int = 0) -> list[TailItem | None]:
    """All items of a tail, to its end."""
    async with asyncio.timeout(WATCHDOG_S), log.reader.tail(run_id, after) as tail:
        return [item async for item in tail]


def texts_of(items: list[TailItem | None]) -> list[str]:
    """The texts of the answer in these items."""
    events = [item.event for item in items if isinstance(item, LoggedEvent)]
    return [event.text for event in events if isinstance(event, TextAppended)]


async def read_rest(tail: AsyncIterator[TailItem | None]) -> list[TailItem | None]:
    """The remaining items of a tail."""
    return await within(_read_rest(tail))


async def _read_rest(tail: AsyncIterator[TailItem | None]) -> list[TailItem | None]:
    return [item async for item in tail]


async def next_item(tail: AsyncIterator[TailItem | None]) -> TailItem | None:
    """The next item of a tail."""
    return await within(anext(tail))


async def complete_run(log: RunLog, *texts: str, **values: Any) -> RunId:
    """Admit a run, write these texts and complete it."""
    admitted = await log.admission.admit(admission(**values))
    execution = await claim_next(log)
    assert execution.run_id == admitted.run_id
    await execution.write(*texts)
    await execution.complete()
    return admitted.run_id


async def start_executions(log: RunLog, count: int) -> list[Execution]:
    """Admit and claim `count` runs, each in a conversation of its own."""
    found: list[Execution] = []
    for _ in range(count):
        await log.admission.admit(admission())
        found.append(await claim_next(log))
    return found


def buffered_seqs(log: RunLog, run_id: RunId) -> list[int]:
    """The numbers of the events that this process has buffered."""
    with log._buffers.subscribe(run_id) as buffer:
        return [item.seq for item in buffer.after(buffer.base_seq or 0) or []]


async def is_flushed(cluster: Cluster, execution: Execution) -> bool:
    """Whether the database has all text that this execution has written."""
    return await cluster.text(execution.run_id) == execution.answer.text


async def assert_ended(cluster: Cluster, execution: Execution, status: str) -> None:
    """Assert one terminal event, numbers without a gap, and a message equal to the log."""
    events = await cluster.events(execution.run_id)
    assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
    ends = [LoggedEvent(execution.run_id, seq, event).terminal for seq, event in events]
    assert ends == [False] * (len(events) - 1) + [True]
    assert await cluster.status(execution.run_id) == status
    stored = await cluster.value(
        "SELECT cartrita_text(parts) FROM messages WHERE run_id = $1", execution.run_id
    )
    assert stored == await cluster.text(execution.run_id) == "seen. "
