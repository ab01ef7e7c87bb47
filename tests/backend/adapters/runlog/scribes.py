"""Runs written and read by hand, as an executor and its readers would."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.backend.adapters.runlog.bench import Bench, admission
from tests.backend.adapters.runlog.watchdog import WATCHDOG_S, within

from cartrita.adapters.runlog.log import RunLog
from cartrita.domain import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import Event, LoggedEvent, TextAppended, UsageRecorded
from cartrita.domain.fold import Fold
from cartrita.domain.runs import (
    Claim,
    LeaseRevoked,
    Queued,
    RunAvailable,
    Signal,
    Snapshot,
)
from cartrita.domain.usage import Usage
from cartrita.kit.ids import RunId

Told = LoggedEvent | Queued | Snapshot | None


class Scribe:
    """Writes one run as an executor would."""

    def __init__(self, log: RunLog, claim: Claim) -> None:
        self.claim = claim
        self.run_id = claim.run_id
        self.answer = Fold()
        self._log = log

    async def add(self, event: Event) -> None:
        self.answer.add(event)
        await self._log.writer.append(self.run_id, event)

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.add(TextAppended(text, self.answer.length))

    async def complete(self) -> None:
        await self.add(UsageRecorded(Usage(1, 2), 0.5))
        ending = endings.completed(self.claim, self.answer, FinishReason.STOP, 1.0)
        await self._log.writer.end(self.run_id, ending)

    async def cancelled(self) -> None:
        await self._log.writer.end(self.run_id, endings.cancelled(self.answer))


async def signal(log: RunLog, kind: type[Signal]) -> Signal:
    """The next signal of a kind; others are dropped."""
    async with asyncio.timeout(WATCHDOG_S):
        async for told in log.queue.signals():
            if isinstance(told, kind):
                return told
    raise AssertionError


async def begin(log: RunLog) -> Scribe:
    """Claim the next run that this replica is told of."""
    while True:
        await signal(log, RunAvailable)
        claim = await within(log.queue.claim())
        if claim is not None:
            return Scribe(log, claim)


async def deposed(log: RunLog) -> None:
    await signal(log, LeaseRevoked)


async def heard(log: RunLog, run_id: RunId, after: int = 0) -> list[Told]:
    """A whole tail, to its end."""
    async with asyncio.timeout(WATCHDOG_S), log.reader.tail(run_id, after) as told:
        return [item async for item in told]


def texts_of(told: list[Told]) -> list[str]:
    """What a reader was told, piece by piece."""
    events = [item.event for item in told if isinstance(item, LoggedEvent)]
    return [event.text for event in events if isinstance(event, TextAppended)]


async def all_of(told: AsyncIterator[Told]) -> list[Told]:
    """The rest of a tail."""
    return await within(_all_of(told))


async def _all_of(told: AsyncIterator[Told]) -> list[Told]:
    return [item async for item in told]


async def following(told: AsyncIterator[Told]) -> Told:
    """The next item of a tail."""
    return await within(anext(told))


async def written(log: RunLog, *texts: str, **values: Any) -> RunId:
    """A run from its admission to its end."""
    admitted = await log.admission.admit(admission(**values))
    scribe = await begin(log)
    assert scribe.run_id == admitted.run_id
    await scribe.say(*texts)
    await scribe.complete()
    return admitted.run_id


async def scribes(log: RunLog, count: int) -> list[Scribe]:
    """Runs of as many conversations, begun and known to their readers."""
    found: list[Scribe] = []
    for _ in range(count):
        await log.admission.admit(admission())
        found.append(await begin(log))
    return found


def known(log: RunLog, run_id: RunId) -> list[int]:
    """What readers of this process could be told now."""
    with log._feeds.read(run_id) as feed:
        return [item.seq for item in feed.after(feed.base or 0) or []]


async def spoken_is(bench: Bench, scribe: Scribe) -> bool:
    return await bench.texts(scribe.run_id) == scribe.answer.text


async def ended_truthfully(bench: Bench, scribe: Scribe, status: str) -> None:
    """One end, numbers without a gap, and a message that says what the log says."""
    events = await bench.log(scribe.run_id)
    assert [seq for seq, _ in events] == list(range(1, len(events) + 1))
    ends = [LoggedEvent(scribe.run_id, seq, event).terminal for seq, event in events]
    assert ends == [False] * (len(events) - 1) + [True]
    assert await bench.status(scribe.run_id) == status
    said = await bench.value(
        "SELECT cartrita_text(parts) FROM messages WHERE run_id = $1", scribe.run_id
    )
    assert said == await bench.texts(scribe.run_id) == "seen. "
