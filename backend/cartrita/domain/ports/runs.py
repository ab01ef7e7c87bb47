"""Ports of runs: admission, cancellation, queue and log."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from cartrita.domain.approvals import Approval
from cartrita.domain.events import Event
from cartrita.domain.ids import ConversationId, MessageId, RunId
from cartrita.domain.runs import (
    Admission,
    Admitted,
    Claim,
    Ending,
    Idempotency,
    Run,
    Signal,
    TailItem,
)
from cartrita.domain.step_records import StepRecord


class EndListener(Protocol):
    """Is told of each run that ends while no process works on it."""

    def __call__(self, run: Run, ending: Ending, /) -> None: ...


class RunAdmission(Protocol):
    """Admits runs, each in one transaction."""

    async def admit(self, admission: Admission) -> Admitted:
        """Store the user's message and its run; start it here if its conversation has no other.

        Raises NotFound (conversation or message), Conflict (busy and `reject`, or too many
        queued), IdempotencyMismatch, Unavailable.
        """
        ...


class EarlierRequests(Protocol):
    """Requests that may be sent again."""

    async def earlier(
        self, owner_id: str, idempotency: Idempotency | None, client_msg_id: str | None
    ) -> Admitted | None:
        """The run of an earlier request with this key or client_msg_id, if there is one.

        Raises IdempotencyMismatch if the one with the key was another request.
        """
        ...

    async def bind(self, owner_id: str, idempotency: Idempotency, run_id: RunId) -> None:
        """Have a key tell of this run from now on, unless it tells of one already."""
        ...


class KeyReservations(Protocol):
    """Names of work that is under way, each of which is held once among all replicas."""

    async def take(self, owner_id: str, name: str, holder: UUID, seconds: float) -> bool:
        """Hold a name for so long, unless somebody else does; it ends with this replica, too."""
        ...

    async def renew(self, holders: Sequence[UUID], seconds: float) -> None:
        """What these hold still, they hold for so long from now on."""
        ...

    async def leave(self, owner_id: str, name: str, holder: UUID) -> None:
        """Hold it no more; where somebody else does by now, nothing changes."""
        ...


class RunCancellation(Protocol):
    """Cancels runs of any replica."""

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        """Request cancellation; a queued run ends at once. Idempotent. Raises NotFound."""
        ...


class RunRemoval(Protocol):
    """Deletes runs."""

    async def remove(self, owner_id: str, run_id: RunId) -> ConversationId | None:
        """Delete an ended run with its log, and the messages that nothing else depends on.

        Returns its conversation if the run made it and nothing is left in it. Raises NotFound, and
        Conflict for a run that has not ended.
        """
        ...


class RunQueue(Protocol):
    """Assigns runs to this replica."""

    async def claim(self) -> Claim | None:
        """The next run for this replica to execute; None if there is none."""
        ...

    def signals(self) -> AsyncIterator[Signal]:
        """An endless stream of signals for the executor of this replica."""
        ...

    async def release(self, run_id: RunId) -> None:
        """Put a claimed run without visible output back into the queue. Raises LeaseLost."""
        ...


class RunWriter(Protocol):
    """Appends to the logs of this replica's runs. Readers get an event only after its commit."""

    async def append(self, run_id: RunId, event: Event) -> None:
        """Accept an event; waits only while too much is pending. Raises LeaseLost."""
        ...

    def record(self, run_id: RunId, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """Accept events and records of steps, which are written in one transaction.

        Raises LeaseLost.
        """
        ...

    async def commit(self, run_id: RunId) -> None:
        """Return when all that was accepted of a run is committed. Raises LeaseLost."""
        ...

    async def suspend(
        self, run_id: RunId, events: Sequence[Event], approvals: tuple[Approval, ...]
    ) -> None:
        """Let a run wait for approvals, and give it up; returns after the commit."""
        ...

    def require(self, run_id: RunId) -> None:
        """Raise LeaseLost if this replica may own the run no more, by its own clock.

        A process that was stopped for longer than its lease asks before it calls a model.
        """
        ...

    async def end(self, run_id: RunId, ending: Ending) -> None:
        """Write pending events and the ending in one transaction; returns after the commit."""
        ...

    def forget(self, run_id: RunId) -> None:
        """Stop writing a run that could not be ended here; the reaper ends or requeues it."""
        ...


class RunReader(Protocol):
    """Reads the logs of live and ended runs, on any replica."""

    def tail(
        self, run_id: RunId, after: int
    ) -> AbstractAsyncContextManager[AsyncIterator[TailItem | None]]:
        """All events after a sequence number, then live ones, until the terminal event.

        Yields None after each heartbeat interval without an event, so that the caller can send a
        keep-alive.
        """
        ...

    async def get(self, owner_id: str, run_id: RunId) -> Run:
        """Raises NotFound, also for a run of another owner."""
        ...

    async def latest(self, owner_id: str, user_message_id: MessageId) -> Run | None:
        """The latest run that answers a message; None if there is none."""
        ...

    async def active(self, owner_id: str, conversation_id: ConversationId) -> list[RunId]:
        """The unfinished runs of a conversation, oldest first."""
        ...
