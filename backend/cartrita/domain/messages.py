"""Messages and their parts."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.usage import Usage
from cartrita.kit.ids import ConversationId, MessageId, RunId


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, omit_defaults=True, tag="reasoning"):
    """What a model thought, with the signature that its vendor wants back unchanged."""

    text: str
    signature: str | None = None
    origin: str | None = None


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, tag="attachment"):
    """A file: one of ours by id, or another by URL (`data:` included)."""

    media_type: str
    attachment_id: str | None = None
    url: str | None = None
    name: str | None = None


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """A model asks for a tool."""

    call_id: str
    name: str
    arguments: JsonObject


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_result"):
    """What a tool answered."""

    call_id: str
    text: str
    name: str | None = None
    success: bool = True


class Citation(msgspec.Struct, frozen=True, omit_defaults=True, tag="citation"):
    """Where a statement comes from; `index` is the n of its `[n]` mark, from 1."""

    title: str
    url: str | None = None
    snippet: str | None = None
    index: int = 1


Part: TypeAlias = Text | Reasoning | Attachment | ToolCall | ToolResult | Citation


class Message(msgspec.Struct, frozen=True):
    """One message as a model sees it."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words of its text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


class MessageStatus(StrEnum):
    """Whether the message is whole. A partial one keeps what was seen."""

    COMPLETE = "complete"
    PARTIAL = "partial"


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message in a conversation's tree; edits and retries are siblings under one parent.

    `depth` counts from 0 at the root and orders a branch.
    """

    id: MessageId
    conversation_id: ConversationId
    parent_id: MessageId | None
    depth: int
    message: Message
    status: MessageStatus
    created_at: datetime
    run_id: RunId | None = None
    model: str | None = None
    provider: str | None = None
    usage: Usage | None = None
    edited: bool = False
    metadata: JsonObject = {}
