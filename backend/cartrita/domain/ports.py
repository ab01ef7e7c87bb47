"""Ports: the Protocols through which use cases reach databases and providers.

Use cases may not import adapters, so they depend on these; adapters implement them. Most ports have
one implementation, which is tested on a real PostgreSQL.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.conversations import Conversation, ConversationChange, ConversationFilter
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
from cartrita.domain.search import SearchQuery, SearchResults
from cartrita.domain.tickets import Ticket
from cartrita.kit.ids import ConversationId, MessageId, RunId
from cartrita.kit.pagination import Page


class ModelProvider(Protocol):
    """Answers model calls. Decorating providers (failover, caching, limits) hold another."""

    @property
    def name(self) -> str: ...

    async def models(self) -> list[ModelInfo]:
        """The models it offers. Raises UpstreamError if they cannot be listed."""
        ...

    def stream(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        """Call a model. Leaving the context closes the upstream connection at once.

        The iterator ends after `Finished`; any other end, such as a broken or stalled connection,
        raises UpstreamError.
        """
        ...


class PassageSearch(Protocol):
    """Finds passages in the messages of an owner."""

    async def passages(self, owner_id: str, words: str, limit: int) -> list[str]: ...


class RunAdmission(Protocol):
    """Admits runs, each in one transaction."""

    async def admit(self, admission: Admission) -> Admitted:
        """Store the user's message and its run; start it here if its conversation has no other.

        Raises NotFound (conversation or message), Conflict (busy and `reject`, or too many
        queued), IdempotencyMismatch, Unavailable.
        """
        ...


class RunCancellation(Protocol):
    """Cancels runs of any replica."""

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        """Request cancellation; a queued run ends at once. Idempotent. Raises NotFound."""
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
    ) -> AbstractAsyncContextManager[AsyncIterator[LoggedEvent | Queued | Snapshot | None]]:
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


class ConversationStore(Protocol):
    """Stores conversations; each call concerns one owner."""

    async def create(self, conversation: Conversation) -> None: ...

    async def find(self, owner_id: str, public_id: str) -> Conversation | None:
        """Find a conversation by its public id or by the external id that the caller gave it."""
        ...

    async def list(
        self, owner_id: str, filter_: ConversationFilter, limit: int, cursor: str | None
    ) -> Page[Conversation]:
        """Pinned conversations first, then by latest change."""
        ...

    async def change(
        self, owner_id: str, conversation_id: ConversationId, change: ConversationChange
    ) -> Conversation | None: ...


class ConversationRemoval(Protocol):
    """Deletes conversations with their messages, runs and events."""

    async def hide(self, owner_id: str, conversation_id: ConversationId) -> bool:
        """Mark a conversation as deleted; False if there is no such conversation."""
        ...

    async def purge(self, only: ConversationId | None = None) -> int:
        """Delete hidden conversations (or one) whose runs have all ended; returns their number."""
        ...


class MessageStore(Protocol):
    """Stores messages; each call concerns one owner."""

    async def get(self, owner_id: str, message_id: MessageId) -> StoredMessage | None: ...

    async def branch(
        self, owner_id: str, tip: MessageId, limit: int, below_depth: int | None = None
    ) -> list[StoredMessage]:
        """The messages from `tip` towards the root, newest first, at most `limit`.

        With `below_depth`, only messages at smaller depths.
        """
        ...

    async def add(self, message: StoredMessage, owner_id: str) -> None:
        """Add a message and make it the head of its conversation."""
        ...

    async def delete(self, owner_id: str, message_id: MessageId) -> bool:
        """Delete a message and all its descendants, with their runs and events."""
        ...

    async def copy(self, owner_id: str, branch_tip: MessageId, into: Conversation) -> Conversation:
        """Copy a branch into a new conversation."""
        ...


class SearchIndex(Protocol):
    """Full-text search in an owner's conversations and messages. No query text raises."""

    async def search(self, query: SearchQuery) -> SearchResults: ...


class KeyStore(Protocol):
    """Stores this server's API keys."""

    async def add(self, key: StoredApiKey) -> None: ...

    async def get(self, key_id: str) -> StoredApiKey | None: ...

    async def list(self, owner_id: str | None) -> list[ApiKey]: ...

    async def revoke(self, key_id: str, at: datetime) -> bool: ...


class TicketStore(Protocol):
    """Stores single-use tickets."""

    async def add(self, digest: bytes, ticket: Ticket) -> None: ...

    async def use(self, digest: bytes, kind: str) -> Ticket | None:
        """Redeem a ticket; None if it is unknown, used or expired."""
        ...

    async def used(self, digest: bytes, kind: str) -> Ticket | None:
        """A ticket that was redeemed already, for resuming the stream that it started."""
        ...

    async def sweep(self) -> int:
        """Delete tickets that expired long ago; returns their number."""
        ...
