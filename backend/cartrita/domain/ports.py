"""What the inside asks of the outside: small Protocols, implemented by adapters.

A port stands here because the floors run upside down at this point (use cases may not import the
database or a provider), not because every one has two implementations. Persistence is tested on
Postgres itself.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from cartrita.domain.accounts import ApiKey, StoredKey, Ticket
from cartrita.domain.conversations import (
    Conversation,
    ConversationChange,
    ConversationFilter,
    Findings,
    SearchQuery,
)
from cartrita.domain.deltas import Delta
from cartrita.domain.events import Event, LoggedEvent
from cartrita.domain.messages import StoredMessage
from cartrita.domain.models import ModelInfo
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import (
    Admission,
    Admitted,
    Claim,
    Ending,
    Queued,
    Run,
    Signal,
    Snapshot,
)
from cartrita.kit.ids import ConversationId, MessageId, RunId
from cartrita.kit.pagination import Page


class ModelProvider(Protocol):
    """Answers model calls. Decorating providers (failover, caching, limits) hold another."""

    @property
    def name(self) -> str: ...

    async def models(self) -> list[ModelInfo]:
        """What it offers; raises UpstreamError where it cannot say."""
        ...

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """Call a model. Leaving the context closes the upstream connection at once.

        The iterator ends after `Finished`; it raises UpstreamError for everything else, a cut and
        a stall included.
        """
        ...


class PassageSearch(Protocol):
    """Finds passages in what an owner has stored."""

    async def passages(self, owner_id: str, words: str, limit: int) -> list[str]: ...


class RunAdmission(Protocol):
    """Lets runs in, in one transaction each."""

    async def admit(self, admission: Admission) -> Admitted:
        """Store the user's message and its run, and begin it here where its conversation is free.

        Raises NotFound (conversation or message), Conflict (busy and `reject`, or too many
        queued), IdempotencyMismatch, Unavailable.
        """
        ...


class RunCancellation(Protocol):
    """Stops runs from anywhere."""

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        """Ask for the end; a queued run ends at once. Idempotent. Raises NotFound."""
        ...


class RunQueue(Protocol):
    """Hands runs to this replica."""

    async def claim(self) -> Claim | None:
        """The next run that this replica must execute; None where nothing is free."""
        ...

    def signals(self) -> AsyncIterator[Signal]:
        """What this replica must react to, for ever."""
        ...

    async def release(self, run_id: RunId) -> None:
        """Give back a claimed run of which nothing was seen, for anybody to claim."""
        ...


class RunWriter(Protocol):
    """Appends to the logs of this replica's runs. Nothing is seen before it is committed."""

    async def append(self, run_id: RunId, event: Event) -> None:
        """Accept an event; returns at once unless too much is pending. Raises LeaseLost."""
        ...

    async def end(self, run_id: RunId, ending: Ending) -> None:
        """Flush what is pending and end the run, atomically; returns after the commit."""
        ...

    def forget(self, run_id: RunId) -> None:
        """Let go of a run that could not be ended here; it is given back, to be settled."""
        ...


class RunReader(Protocol):
    """Reads logs, live and old, on any replica."""

    def tail(
        self, run_id: RunId, after: int
    ) -> AbstractAsyncContextManager[AsyncIterator[LoggedEvent | Queued | Snapshot | None]]:
        """Everything after a sequence number, then live, until the terminal event.

        Yields None where nothing happened for a heartbeat, so that the caller can say so.
        """
        ...

    async def run(self, owner_id: str, run_id: RunId) -> Run:
        """Raises NotFound, also for what belongs to others."""
        ...

    async def latest(self, owner_id: str, user_message_id: MessageId) -> Run | None:
        """The last run that answers a message."""
        ...

    async def active(self, owner_id: str, conversation_id: ConversationId) -> list[RunId]:
        """Runs of a conversation that have not ended."""
        ...


class ConversationStore(Protocol):
    """Conversations of one owner at a time."""

    async def create(self, conversation: Conversation) -> None: ...

    async def get(self, owner_id: str, conversation_id: ConversationId) -> Conversation | None: ...

    async def find(self, owner_id: str, public_id: str) -> Conversation | None:
        """By our id or by the id that its caller chose."""
        ...

    async def list(
        self, owner_id: str, filter_: ConversationFilter, limit: int, cursor: str | None
    ) -> Page[Conversation]:
        """Pinned first, then the latest change first."""
        ...

    async def change(
        self, owner_id: str, conversation_id: ConversationId, change: ConversationChange
    ) -> Conversation | None: ...


class ConversationRemoval(Protocol):
    """Deleting, which takes rows, events and search entries along."""

    async def hide(self, owner_id: str, conversation_id: ConversationId) -> bool:
        """Make it unfindable at once; False where there is none."""
        ...

    async def purge(self, only: ConversationId | None = None) -> int:
        """Delete hidden conversations (or one) whose runs have all ended; returns how many."""
        ...


class MessageStore(Protocol):
    """Messages of one owner's conversations."""

    async def get(self, owner_id: str, message_id: MessageId) -> StoredMessage | None: ...

    async def branch(
        self, owner_id: str, tip: MessageId, limit: int, below_depth: int | None = None
    ) -> list[StoredMessage]:
        """The messages from `tip` towards the root, newest first, at most `limit`.

        `below_depth` leaves out the messages at that depth and deeper.
        """
        ...

    async def add(self, message: StoredMessage, owner_id: str) -> None:
        """Add a message and make it the conversation's head."""
        ...

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """Delete a message and everything that followed it, with runs and events."""
        ...

    async def copy(self, owner_id: str, branch_tip: MessageId, into: Conversation) -> Conversation:
        """Copy a branch into a new conversation."""
        ...


class SearchIndex(Protocol):
    """Full text over an owner's conversations and messages. No query raises."""

    async def search(self, query: SearchQuery) -> Findings: ...


class KeyStore(Protocol):
    """Keys of ours."""

    async def add(self, key: StoredKey) -> None: ...

    async def get(self, key_id: str) -> StoredKey | None: ...

    async def list(self, owner_id: str | None) -> list[ApiKey]: ...

    async def revoke(self, key_id: str, at: datetime) -> bool: ...


class TicketStore(Protocol):
    """Single-use rights."""

    async def add(self, digest: bytes, ticket: Ticket) -> None: ...

    async def use(self, digest: bytes, kind: str) -> Ticket | None:
        """Spend it; None where it is unknown, spent or expired."""
        ...

    async def used(self, digest: bytes, kind: str) -> Ticket | None:
        """A ticket that was spent already, for resuming what it started."""
        ...

    async def sweep(self) -> int:
        """Forget what expired long ago; returns how many."""
        ...
