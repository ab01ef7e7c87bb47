"""Replicas on one database, driven by hand: who claims, says and ends is the test's business."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from cartrita.adapters.postgres import Endpoint
from cartrita.adapters.runlog.connection import Database
from cartrita.adapters.runlog.log import RunLog, Tuning
from cartrita.adapters.runlog.replica import Place
from cartrita.application import endings
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import Unavailable
from cartrita.domain.events import CallMeasured, Event, LoggedEvent, TextAppended
from cartrita.domain.fold import Fold
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.runs import (
    Admission,
    Admitted,
    Claim,
    Claimable,
    Deposed,
    NewMessage,
    Queued,
    RunInput,
    Signal,
    Snapshot,
)
from cartrita.domain.usage import Usage
from cartrita.kit.ids import ConversationId, MessageId, RunId, uuid7

WATCHDOG_S = 20.0
TUNING = Tuning(
    lease_s=60,
    poll_s=0.1,
    heartbeat_s=60,
    flush_s=0.02,
    flush_bytes=4096,
    pending_bytes=1 << 20,
    window_bytes=1 << 16,
    pool_size=8,
    pool_wait_s=5,
    connect_timeout_s=5,
    statement_timeout_s=20,
    idle_in_transaction_s=5,
    run_timeout_s=600,
    max_attempts=3,
    queue_max=20,
    idempotency_ttl_s=100,
    maintenance_s=3600,
    fold_after_s=3600,
    retention_days=3,
    days_ahead=0,
)
Told = LoggedEvent | Queued | Snapshot | None
T = TypeVar("T")


class Bench:
    """One database; its replicas are workers of one server unless a test says otherwise."""

    def __init__(self, endpoint: Endpoint, direct: Any) -> None:
        self.endpoint = endpoint
        self.dsn = endpoint.dsn()
        self.direct = direct
        """A connection of the test's own."""
        self.instance = uuid7()

    @asynccontextmanager
    async def replica(
        self,
        slot: int = 0,
        *,
        dsn: str | None = None,
        instance: UUID | None = None,
        **changed: Any,
    ) -> AsyncGenerator[RunLog]:
        """A whole one, with all its loops."""
        place = Place(instance or self.instance, slot, 9)
        tuning = msgspec.structs.replace(TUNING, **changed)
        async with RunLog.opened(dsn or self.dsn, place, tuning) as log:
            yield log

    @asynccontextmanager
    async def frozen(
        self, slot: int = 8, *, dsn: str | None = None, **changed: Any
    ) -> AsyncGenerator[RunLog]:
        """A registered one whose loops do not run: it neither beats nor looks nor flushes."""
        tuning = msgspec.structs.replace(TUNING, **changed)
        async with Database.opened(dsn or self.dsn, tuning.opening, size=4, wait_s=5) as database:
            log = RunLog(dsn or self.dsn, database, Place(uuid7(), slot, 9), tuning)
            await log._replica.register()
            try:
                yield log
            finally:
                for link in log._links:
                    link.interrupt()

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.direct.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: object) -> Any:
        return await self.direct.fetchval(query, *arguments)

    async def status(self, run_id: RunId) -> str:
        return await self.value("SELECT status FROM runs WHERE id = $1", run_id)

    async def log(self, run_id: RunId) -> list[tuple[int, Event]]:
        """What the database holds, in order."""
        rows = await self.rows(
            "SELECT seq, data FROM run_events WHERE run_id = $1 ORDER BY seq", run_id
        )
        return [(row["seq"], msgspec.json.decode(row["data"], type=Event)) for row in rows]

    async def texts(self, run_id: RunId) -> str:
        events = await self.log(run_id)
        return "".join(event.text for _, event in events if isinstance(event, TextAppended))

    async def expire(self, log: RunLog) -> None:
        """End a replica's lease now, as time would."""
        await self.direct.execute(
            "UPDATE replicas SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1",
            log._replica.identity.id,
        )

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Any]:
        """Another database session of the test's own, for holding locks."""
        connection: Any = await asyncpg.connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close()


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
        await self.add(CallMeasured(Usage(1, 2), 0.5))
        ending = endings.completed(self.claim, self.answer, FinishReason.STOP, 1.0)
        await self._log.writer.end(self.run_id, ending)

    async def cancelled(self) -> None:
        await self._log.writer.end(self.run_id, endings.cancelled(self.answer))


def admission(text: str = "Hello", **values: Any) -> Admission:
    """A message in a new conversation."""
    given: dict[str, Any] = {
        "owner_id": "ann",
        "surface": "native",
        "input": RunInput(agent="assistant", provider="p", model="m"),
        "title": "Hello",
        **values,
    }
    if "answer_to" not in given and "new_message" not in given:
        given["new_message"] = NewMessage(message=words(text))
    return Admission(**given)


def words(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


async def within(work: Awaitable[T]) -> T:
    """A watchdog: whatever takes this long never ends."""
    async with asyncio.timeout(WATCHDOG_S):
        return await work


async def until(check: Callable[[], Any]) -> Any:
    """Look again and again; what a check returns, once it is true."""
    async with asyncio.timeout(WATCHDOG_S):
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


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
        await signal(log, Claimable)
        claim = await within(log.queue.claim())
        if claim is not None:
            return Scribe(log, claim)


async def deposed(log: RunLog) -> None:
    await signal(log, Deposed)


async def heard(log: RunLog, run_id: RunId, after: int = 0) -> list[Told]:
    """A whole tail, to its end."""
    async with asyncio.timeout(WATCHDOG_S), log.reader.tail(run_id, after) as told:
        return [item async for item in told]


def texts_of(told: list[Told]) -> list[str]:
    """What a reader was told, piece by piece."""
    events = [item.event for item in told if isinstance(item, LoggedEvent)]
    return [event.text for event in events if isinstance(event, TextAppended)]


def idle(log: RunLog) -> bool:
    """Whether none of its pooled connections is in use."""
    pool: Any = log.queue._database._pool
    return pool.get_idle_size() == pool.get_size()


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


async def retried(log: RunLog, **values: Any) -> Admitted:
    """As a patient caller does it."""
    while True:
        try:
            return await log.admission.admit(admission(**values))
        except Unavailable:
            await asyncio.sleep(0.02)


async def a_conversation(bench: Bench, **values: Any) -> ConversationId:
    """An empty one."""
    conversation = ConversationId(uuid7())
    given: dict[str, Any] = {"id": conversation, "owner_id": "ann", "title": "t", **values}
    names, places = ", ".join(given), ", ".join(f"${n}" for n in range(1, len(given) + 1))
    await bench.direct.execute(
        f"INSERT INTO conversations ({names}) VALUES ({places})", *given.values()
    )
    return conversation


async def a_message(
    session: Any, conversation: ConversationId, said: str, parent: MessageId | None, depth: int
) -> MessageId:
    """One that stands in the tree, as an edit of an answer puts it there."""
    message = MessageId(uuid7())
    await session.execute(
        "INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)"
        " VALUES ($1, 'ann', $2, $3, $4, 'assistant',"
        " jsonb_build_array(jsonb_build_object('type', 'text', 'text', $5::text)))",
        message,
        conversation,
        parent,
        depth,
        said,
    )
    return message


HOLD = "SELECT 1 FROM replicas FOR UPDATE"
"""What a reaper does: every flush waits for it."""


async def scribes(log: RunLog, count: int) -> list[Scribe]:
    """Runs of as many conversations, begun and known to their readers."""
    found: list[Scribe] = []
    for _ in range(count):
        await log.admission.admit(admission())
        found.append(await begin(log))
    return found


@asynccontextmanager
async def held_flush(bench: Bench) -> AsyncGenerator[Any]:
    """Flushes wait while this is open; yields the session that holds them."""
    async with bench.session() as other:
        holding = other.transaction()
        await holding.start()
        await other.execute(HOLD)
        yield other
        await holding.rollback()


async def lock_waits(bench: Bench) -> bool:
    return await bench.value("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")


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
