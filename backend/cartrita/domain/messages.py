"""Messages and their parts, as models see them and as they are stored."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.ids import ConversationId, MessageId, RunId, public_conversation_id
from cartrita.domain.json import JsonObject
from cartrita.domain.speech import SpokenWord
from cartrita.domain.usage import Usage


class Role(StrEnum):
    """Who speaks. SYSTEM is for instructions in the middle of a conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class CacheBreakpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """The provider should cache everything up to the end of what holds this, for `ttl`."""

    ttl: str | None = None


class Spoken(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a text was said, in a recording of `duration` seconds.

    `provider` and `model` wrote it down. `recording_id` is the file of the recording, if it was
    kept; models are never sent it. `sha256` is that of a recording that was sent whole, in
    hexadecimal digits. The rest is as in a `Transcript`.
    """

    duration: float
    provider: str
    model: str
    language: str | None = None
    confidence: float | None = None
    words: tuple[SpokenWord, ...] = ()
    recording_id: str | None = None
    sha256: str | None = None


class Text(msgspec.Struct, frozen=True, omit_defaults=True, tag="text"):
    """Plain text; `spoken` if somebody said it."""

    text: str
    cache: CacheBreakpoint | None = None
    spoken: Spoken | None = None


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """The model's words for refusing to answer, where its dialect tells them from text."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, omit_defaults=True, tag="reasoning"):
    """A model's reasoning.

    `signature` and `encrypted` must be sent back unchanged, and only to their `origin`, the dialect
    that they came in: the one proves who wrote the text, the other is reasoning that nobody else
    can read. `id` is the origin's own id of it.
    """

    text: str
    signature: str | None = None
    encrypted: str | None = None
    origin: str | None = None
    id: str | None = None

    @property
    def sealed(self) -> bool:
        """Whether it has to be sent back as it is."""
        return self.signature is not None or self.encrypted is not None


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, tag="attachment"):
    """A file: a stored one by `attachment_id`, or any other by URL (`data:` included).

    `detail` is how closely a model should look at an image; `context` says what a document is;
    `cited` asks for citations of it.
    """

    media_type: str
    attachment_id: str | None = None
    url: str | None = None
    name: str | None = None
    detail: str | None = None
    context: str | None = None
    cited: bool = False
    cache: CacheBreakpoint | None = None


class VendorPart(msgspec.Struct, frozen=True, tag="vendor"):
    """A part that only its `origin`, a dialect, understands, as it came: kept and sent back."""

    origin: str
    data: JsonObject


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_call"):
    """A model's request to call a tool.

    `malformed` is told of one whose arguments were no JSON object, or have the `problem` that the
    model is told: these hold their text. `vendor` is the call as its `origin`, a dialect, wrote it,
    to be sent back unchanged to that one.
    """

    call_id: str
    name: str
    arguments: JsonObject
    cache: CacheBreakpoint | None = None
    malformed: bool = False
    problem: str | None = None
    origin: str | None = None
    vendor: JsonObject = {}


ToolContent: TypeAlias = Text | Attachment | VendorPart


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_result"):
    """The result of a tool call: text, files, or both.

    `approved` is true if a person allowed the call, and saw what its vendor wanted a person to see.
    """

    call_id: str
    content: tuple[ToolContent, ...]
    name: str | None = None
    success: bool = True
    cache: CacheBreakpoint | None = None
    approved: bool = False

    @property
    def text(self) -> str:
        """Its text, joined."""
        return "".join(part.text for part in self.content if isinstance(part, Text))


class Citation(msgspec.Struct, frozen=True, omit_defaults=True, tag="citation"):
    """The source of the text before it; `index` is the n of its `[n]` mark, from 1.

    `start` and `end` are the code points of that text which it supports. `vendor` is the citation
    as its `origin`, a dialect, wrote it, for the details that only that one knows.
    """

    title: str
    url: str | None = None
    snippet: str | None = None
    index: int = 1
    start: int | None = None
    end: int | None = None
    origin: str | None = None
    vendor: JsonObject = {}


Part: TypeAlias = (
    Text | Refusal | Reasoning | Attachment | ToolCall | ToolResult | Citation | VendorPart
)


class Message(msgspec.Struct, frozen=True):
    """One message as a model sees it."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """What it says, joined: its text and its refusals."""
        return "".join(part.text for part in self.parts if isinstance(part, Text | Refusal))

    def reworded(self, text: str) -> "Message":
        """The same in other words of a user, with the files that it has."""
        files = (part for part in self.parts if isinstance(part, Attachment))
        return Message(Role.USER, (*files, Text(text)))


class MessageStatus(StrEnum):
    """Whether the message is complete. A partial one ended early."""

    COMPLETE = "complete"
    PARTIAL = "partial"


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message in a conversation's tree; edits and retries are siblings under one parent.

    `depth` is 0 at the root and increases along a branch. `external_id` is the one of its
    conversation.
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
    external_id: str | None = None

    @property
    def public_conversation_id(self) -> str:
        """The id by which callers know its conversation."""
        return public_conversation_id(self.conversation_id, self.external_id)


class Siblings(msgspec.Struct, frozen=True):
    """Messages under one parent, the oldest first; without a parent they are beginnings."""

    parent_id: MessageId | None
    message_ids: tuple[MessageId, ...]
