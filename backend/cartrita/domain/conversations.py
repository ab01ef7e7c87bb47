"""Conversations, and the values that list and change them."""

from datetime import datetime

import msgspec

from cartrita.domain.ids import ConversationId, MessageId, public_conversation_id
from cartrita.domain.json import JsonObject


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation without its messages; `head_message_id` ends its current branch."""

    id: ConversationId
    owner_id: str
    title: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    head_message_id: MessageId | None = None
    archived: bool = False
    pinned: bool = False
    tags: tuple[str, ...] = ()
    metadata: JsonObject = {}

    @property
    def public_id(self) -> str:
        """The id by which callers know it."""
        return public_conversation_id(self.id, self.external_id)


class ConversationChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields to change; None leaves a field as it is."""

    title: str | None = None
    archived: bool | None = None
    pinned: bool | None = None
    tags: tuple[str, ...] | None = None
    metadata: JsonObject | None = None


class ConversationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversations to list; None does not filter."""

    archived: bool | None = False
    pinned: bool | None = None
    tag: str | None = None
