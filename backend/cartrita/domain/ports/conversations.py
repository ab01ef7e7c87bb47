"""Ports of stored conversations and their messages."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from cartrita.domain.conversations import Conversation, ConversationChange, ConversationFilter
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.messages import Message, Siblings, StoredMessage
from cartrita.kit.pagination import Page


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


class ItemStore(Protocol):
    """Finds messages by the ids of items, and changes the current branch without a run."""

    async def find(self, owner_id: str, identities: Sequence[UUID]) -> list[StoredMessage]:
        """The messages of these ids, and the answers of the runs of these ids, in no order."""
        ...

    async def append(
        self, owner_id: str, conversation_id: ConversationId, new: Sequence[Message]
    ) -> list[StoredMessage]:
        """Add messages at the end of the current branch; the last becomes the head."""
        ...

    async def remove(
        self, owner_id: str, conversation_id: ConversationId, message_id: MessageId
    ) -> bool:
        """Take one message out; what follows it then follows the one before it."""
        ...


class BranchStore(Protocol):
    """Finds where a conversation branches, and chooses its current branch."""

    async def siblings(
        self, owner_id: str, conversation_id: ConversationId, limit: int
    ) -> list[Siblings]:
        """The groups of more than one message, the lowest first, at most `limit`."""
        ...

    async def select(
        self, owner_id: str, conversation_id: ConversationId, message_id: MessageId
    ) -> None:
        """Make the newest end of a branch through a message the head of its conversation."""
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
