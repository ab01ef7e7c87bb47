"""In-memory fakes of the ports that the application uses; they record their calls."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from cartrita.domain.approvals import Approval
from cartrita.domain.conversations import Conversation
from cartrita.domain.deltas import Finished, FinishReason
from cartrita.domain.errors import LeaseLost, NotFound
from cartrita.domain.events import Event, RunStarted
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.messages import Message, MessageStatus, Role, StoredMessage, Text
from cartrita.domain.runs import (
    Admission,
    Admitted,
    Claim,
    Ending,
    Queued,
    Run,
    RunAvailable,
    RunInput,
    RunStatus,
    Signal,
)
from cartrita.domain.step_records import StepRecord
from cartrita.domain.usage import Usage
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.retry import RetryPolicy
from cartrita.kit.ids import uuid7

WATCHDOG_S = 20.0
BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
DONE = Finished(FinishReason.STOP, Usage(3, 4))


async def until(check: Callable[[], object]) -> None:
    """Poll a condition, with a watchdog."""
    async with asyncio.timeout(WATCHDOG_S):
        while True:
            if check():
                return
            await asyncio.sleep(0.001)


def claim(**values: Any) -> Claim:
    given: dict[str, Any] = {
        "run_id": RunId(uuid7()),
        "owner_id": "ann",
        "surface": "native",
        "conversation_id": ConversationId(uuid7()),
        "user_message_id": MessageId(uuid7()),
        "message_id": MessageId(uuid7()),
        "input": RunInput(agent="supervisor", provider="p", model="m"),
        "attempt": 1,
        "last_seq": 1,
        "started": RunStarted("conv_1", "msg_1", "supervisor", "m", "p"),
        "seconds_left": 600.0,
        "cancelled": False,
        **values,
    }
    return Claim(**given)


def stored_message(text: str, role: Role = Role.USER, **values: Any) -> StoredMessage:
    given: dict[str, Any] = {
        "id": MessageId(uuid7()),
        "conversation_id": ConversationId(uuid7()),
        "parent_id": None,
        "depth": 0,
        "message": Message(role, (Text(text),)),
        "status": MessageStatus.COMPLETE,
        "created_at": BEGIN,
        **values,
    }
    return StoredMessage(**given)


def gateway(*providers: Any) -> Gateway:
    """A gateway that does not retry."""
    entries = [
        ProviderEntry(provider=one, origin=ProviderOrigin.SELECTED, default_model="m")
        for one in providers
    ]
    return Gateway(Catalog(entries), RetryPolicy(attempts=1))


class FakeQueueAndWriter:
    """A RunQueue and RunWriter: tests put claims, and read events and endings."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[Signal] = asyncio.Queue()
        self.claims: list[Claim | Exception] = []
        self.events: dict[RunId, list[Event]] = {}
        self.endings: dict[RunId, Ending] = {}
        self.steps: dict[RunId, list[StepRecord]] = {}
        self.approvals: dict[RunId, tuple[Approval, ...]] = {}
        self.commits = 0
        self.tried: list[Ending] = []
        self.released: list[RunId] = []
        self.forgotten: list[RunId] = []
        self.append_fails: Exception | None = None
        self.lease_lost = False
        self.end_fails: list[Exception] = []
        self.release_fails: Exception | None = None
        self.slow_claim: asyncio.Event | None = None
        self.slow_end: asyncio.Event | None = None

    def put(self, *claims: Claim) -> None:
        for one in claims:
            self.claims.append(one)
            self.news.put_nowait(RunAvailable())

    def tell(self, signal: Signal) -> None:
        self.news.put_nowait(signal)

    async def claim(self) -> Claim | None:
        if self.slow_claim is not None:
            await self.slow_claim.wait()
        found = self.claims.pop(0) if self.claims else None
        if isinstance(found, Exception):
            raise found
        return found

    async def signals(self) -> AsyncIterator[Signal]:
        while True:
            yield await self.news.get()

    async def release(self, run_id: RunId) -> None:
        if self.release_fails is not None:
            raise self.release_fails
        self.released.append(run_id)

    async def append(self, run_id: RunId, event: Event) -> None:
        if self.append_fails is not None:
            raise self.append_fails
        self.events.setdefault(run_id, []).append(event)

    def record(self, run_id: RunId, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        if self.append_fails is not None:
            raise self.append_fails
        self.events.setdefault(run_id, []).extend(events)
        self.steps.setdefault(run_id, []).extend(steps)

    async def commit(self, run_id: RunId) -> None:
        self.commits += 1

    async def suspend(
        self, run_id: RunId, events: Sequence[Event], approvals: tuple[Approval, ...]
    ) -> None:
        if self.append_fails is not None:
            raise self.append_fails
        self.events.setdefault(run_id, []).extend(events)
        self.approvals[run_id] = approvals

    def require(self, run_id: RunId) -> None:
        if self.lease_lost:
            raise LeaseLost("Another owns it.")

    async def end(self, run_id: RunId, ending: Ending) -> None:
        self.tried.append(ending)
        if self.slow_end is not None:
            await self.slow_end.wait()
        if self.end_fails:
            raise self.end_fails.pop(0)
        if run_id in self.endings:
            raise LeaseLost("It has ended.")
        self.endings[run_id] = ending

    def forget(self, run_id: RunId) -> None:
        self.forgotten.append(run_id)


class FakeMessageStore:
    """A MessageStore of one branch, the newest message first."""

    def __init__(self, *newest_first: StoredMessage | Exception) -> None:
        self.messages = list(newest_first)
        self.asked: list[tuple[str, MessageId, int]] = []

    async def branch(
        self, owner_id: str, tip: MessageId, limit: int, below_depth: int | None = None
    ) -> list[StoredMessage]:
        self.asked.append((owner_id, tip, limit))
        while self.messages and isinstance(self.messages[0], Exception):
            failure = self.messages.pop(0)
            assert isinstance(failure, Exception)
            raise failure
        return [one for one in self.messages if isinstance(one, StoredMessage)][:limit]

    async def get(self, owner_id: str, message_id: MessageId) -> StoredMessage | None:
        found = [m for m in self.messages if isinstance(m, StoredMessage) and m.id == message_id]
        return found[0] if found and owner_id == "ann" else None

    async def add(self, message: StoredMessage, owner_id: str) -> None:
        raise NotImplementedError

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        raise NotImplementedError

    async def copy(self, owner_id: str, branch_tip: MessageId, into: Conversation) -> Conversation:
        raise NotImplementedError


def run(**values: Any) -> Run:
    given: dict[str, Any] = {
        "id": RunId(uuid7()),
        "owner_id": "ann",
        "conversation_id": ConversationId(uuid7()),
        "message_id": MessageId(uuid7()),
        "user_message_id": MessageId(uuid7()),
        "surface": "native",
        "status": RunStatus.INTERRUPTED,
        "agent": "supervisor",
        "provider": "p",
        "model": "m",
        "attempt": 1,
        "created_at": BEGIN,
        "started_at": BEGIN,
        "ended_at": BEGIN,
        "cancel_requested": False,
        "last_seq": 3,
        "usage": None,
        "error_code": None,
        "input": RunInput(agent="supervisor", provider="p", model="m", instructions="Be brief."),
        **values,
    }
    return Run(**given)


class FakeRunPorts:
    """RunAdmission, RunCancellation and RunReader over a few runs."""

    def __init__(self, *runs: Run, tells: list[Any] | None = None) -> None:
        self.runs = {one.id: one for one in runs}
        self.tells = tells or []
        self.admitted: list[Admission] = []
        self.cancelled: list[RunId] = []

    async def admit(self, admission: Admission) -> Admitted:
        self.admitted.append(admission)
        conversation = admission.conversation_id or ConversationId(uuid7())
        return Admitted(RunId(uuid7()), conversation, RunStatus.RUNNING, created=True)

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        self.cancelled.append(run_id)
        return await self.get(owner_id, run_id)

    async def get(self, owner_id: str, run_id: RunId) -> Run:
        found = self.runs.get(run_id)
        if found is None or found.owner_id != owner_id:
            raise NotFound.of("run")
        return found

    async def latest(self, owner_id: str, user_message_id: MessageId) -> Run | None:
        found = [r for r in self.runs.values() if r.user_message_id == user_message_id]
        return found[-1] if found and found[-1].owner_id == owner_id else None

    async def active(self, owner_id: str, conversation_id: ConversationId) -> list[RunId]:
        raise NotImplementedError

    @asynccontextmanager
    async def tail(self, run_id: RunId, after: int) -> AsyncGenerator[AsyncIterator[Any]]:
        yield self._told(after)

    async def _told(self, after: int) -> AsyncGenerator[Any]:
        for item in self.tells:
            if isinstance(item, Exception):
                raise item
            if item is None or isinstance(item, Queued) or getattr(item, "seq", 0) > after:
                yield item


class FakeConversationStore:
    """A ConversationStore that can only find these conversations."""

    def __init__(self, *conversations: Conversation) -> None:
        self._conversations = conversations

    async def find(self, owner_id: str, public_id: str) -> Conversation | None:
        for one in self._conversations:
            if public_id in (one.external_id, f"conv_{one.id.hex}") and one.owner_id == owner_id:
                return one
        return None
