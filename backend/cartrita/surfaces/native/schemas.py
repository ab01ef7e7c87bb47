"""Response schemas: conversations, messages, runs and chat responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from pydantic import BaseModel, Field

from cartrita.domain.approvals import Approval
from cartrita.domain.conversations import Conversation
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import AgentUse, RunCompleted
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    Citation,
    Part,
    Reasoning,
    Refusal,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.runs import Run
from cartrita.domain.usage import Usage
from cartrita.kit import ids
from cartrita.surfaces.native.approval_schemas import ApprovalView


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of the prompt and of the answer; `estimated` if the provider did not report them.

    The true numbers are then within `error_bound` of these, as a fraction of them.
    """

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool
    error_bound: float

    @classmethod
    def of(cls, usage: Usage) -> "TokenUsage":
        return cls(
            usage.input_tokens,
            usage.output_tokens,
            usage.total_tokens,
            usage.estimated,
            usage.error_bound,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a statement in the answer; `index` is the n of its `[n]` mark."""

    title: str
    url: str | None
    snippet: str | None
    index: int

    @classmethod
    def of(cls, citation: Citation) -> "Source":
        return cls(citation.title, citation.url, citation.snippet, citation.index)


def public_sources(citations: Sequence[Citation]) -> list[Source]:
    """Citations in their public form."""
    return [Source.of(citation) for citation in citations]


MessagePart: TypeAlias = Text | Refusal | Reasoning | Attachment | ToolCall | ToolResult | Citation
"""A part that callers are shown."""


def public_parts(of: Sequence[Part]) -> list[JsonObject]:
    """Message parts in their public form: nothing that only a vendor can read."""
    return [
        msgspec.to_builtins(_without_vendor_data(part))
        for part in of
        if not isinstance(part, VendorPart)
    ]


def _without_vendor_data(part: Part) -> Part:
    match part:
        case Reasoning():
            return Reasoning(part.text)
        case Citation() | ToolCall():
            return msgspec.structs.replace(part, origin=None, vendor={})
        case _:
            return part


class ConversationView(BaseModel):
    """A conversation without its messages."""

    id: str = Field(description="Generated, or the `external_id` of its creator.")
    title: str
    archived: bool
    pinned: bool
    tags: list[str]
    metadata: dict[str, Any]
    head_message_id: str | None = Field(description="The end of its current branch.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationView":
        head = conversation.head_message_id
        return cls(
            id=conversation.public_id,
            title=conversation.title,
            archived=conversation.archived,
            pinned=conversation.pinned,
            tags=list(conversation.tags),
            metadata=conversation.metadata,
            head_message_id=None if head is None else ids.public("msg", head),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )


class MessageView(BaseModel):
    """A message in its conversation's tree; edits and retries are siblings under one parent."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: str = Field(examples=["user", "assistant"])
    content: str = Field(description="The text of the message.")
    parts: list[dict[str, Any]] = Field(description="All parts: text, reasoning, tool calls, ...")
    status: str = Field(description="`partial` where the answer ended early.")
    run_id: str | None
    model: str | None
    provider: str | None
    token_usage: TokenUsage | None
    edited: bool
    timestamp: datetime
    metadata: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredMessage) -> "MessageView":
        return cls(
            id=ids.public("msg", stored.id),
            conversation_id=stored.public_conversation_id,
            parent_id=None if stored.parent_id is None else ids.public("msg", stored.parent_id),
            role=stored.message.role,
            content=stored.message.text,
            parts=public_parts(stored.message.parts),
            status=stored.status,
            run_id=None if stored.run_id is None else ids.public("run", stored.run_id),
            model=stored.model,
            provider=stored.provider,
            token_usage=None if stored.usage is None else TokenUsage.of(stored.usage),
            edited=stored.edited,
            timestamp=stored.created_at,
            metadata=stored.metadata,
        )


class RunView(BaseModel):
    """A run: the generation of one answer."""

    id: str
    conversation_id: str
    message_id: str = Field(description="The message that holds the answer.")
    user_message_id: str = Field(description="The message that is answered.")
    surface: str
    status: str = Field(examples=["running", "completed", "interrupted"])
    agent_type: str
    provider: str
    model: str
    attempt: int
    cancel_requested: bool
    last_event_id: str | None = Field(description="Of its last event, once it has ended.")
    token_usage: TokenUsage | None
    error_code: str | None
    metadata: dict[str, Any] = Field(description="What the request for this answer brought.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    approvals: list[ApprovalView] = Field(description="What it waits for a person to decide on.")
    trace_url: str | None = Field(
        description="Where its trace is shown, if one is made; told to operators."
    )

    @classmethod
    def of(cls, run: Run, approvals: Sequence[Approval], trace_url: str | None) -> "RunView":
        public = ids.public("run", run.id)
        return cls(
            id=public,
            conversation_id=run.public_conversation_id,
            message_id=ids.public("msg", run.message_id),
            user_message_id=ids.public("msg", run.user_message_id),
            surface=run.surface,
            status=run.status,
            agent_type=run.agent,
            provider=run.provider,
            model=run.model,
            attempt=run.attempt,
            cancel_requested=run.cancel_requested,
            last_event_id=None if run.last_seq is None else f"{public}.{run.last_seq}",
            token_usage=None if run.usage is None else TokenUsage.of(run.usage),
            error_code=run.error_code,
            metadata={} if run.input is None else run.input.metadata,
            created_at=run.created_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            approvals=[ApprovalView.of(approval) for approval in approvals],
            trace_url=trace_url,
        )


@dataclass(frozen=True, slots=True)
class AgentUseView:
    """What one agent did for an answer; `cost` is in US dollars, null where no price is known."""

    agent: str
    model_calls: int
    token_usage: TokenUsage
    cost: float | None

    @classmethod
    def of(cls, use: AgentUse) -> "AgentUseView":
        return cls(
            agent=use.agent,
            model_calls=use.calls,
            token_usage=TokenUsage.of(use.usage),
            cost=use.cost,
        )


@dataclass(frozen=True, slots=True)
class ChatMetadata:
    """Who worked for an answer, in how many steps (a model call and its tools each) and seconds.

    `limit_reached` is what was used up when the agent had to conclude: steps, tokens, cost or
    seconds. `failovers` are deployments that failed before another one answered, and `receipts`
    what the translation of the request could not carry over exactly.
    """

    agents_used: list[str]
    agents: list[AgentUseView]
    limit_reached: str | None
    iterations: int
    execution_time_seconds: float
    trace_id: str
    failovers: list[dict[str, Any]]
    receipts: list[dict[str, Any]]

    @classmethod
    def of(cls, run_id: RunId, done: RunCompleted) -> "ChatMetadata":
        return cls(
            agents_used=list(done.agents_used),
            agents=[AgentUseView.of(use) for use in done.agents],
            limit_reached=done.cap,
            iterations=done.calls,
            execution_time_seconds=done.seconds,
            trace_id=run_id.hex,
            failovers=msgspec.to_builtins([*done.failovers]),
            receipts=msgspec.to_builtins([*done.receipts]),
        )


def finish_reason(done: RunCompleted) -> FinishReason:
    """A text does not tell a refusal from an answer, so this does."""
    stopped = done.refused and done.finish_reason is FinishReason.STOP
    return FinishReason.CONTENT_FILTER if stopped else done.finish_reason


class ChatResponse(BaseModel):
    """A complete answer."""

    response: str
    conversation_id: str
    message_id: str
    run_id: str
    agent_type: str
    model: str
    model_used: str
    provider: str
    message: MessageView
    token_usage: TokenUsage
    processing_time: float = Field(description="Seconds.")
    sources: list[Source]
    finish_reason: str
    metadata: ChatMetadata

    @classmethod
    def of(cls, run_id: RunId, done: RunCompleted, stored: StoredMessage) -> "ChatResponse":
        return cls(
            response=done.text,
            conversation_id=done.conversation_id,
            message_id=done.message_id,
            run_id=ids.public("run", run_id),
            agent_type=done.agent,
            model=done.model,
            model_used=done.model,
            provider=done.provider,
            message=MessageView.of(stored),
            token_usage=TokenUsage.of(done.usage),
            processing_time=done.seconds,
            sources=public_sources(done.sources),
            finish_reason=finish_reason(done),
            metadata=ChatMetadata.of(run_id, done),
        )
