"""Renders the events of a run as server-sent event frames.

Each event becomes exactly one frame that depends on that event only, so every replica renders the
same bytes for the same log. `queued` is not logged: its frame has no id and does not move the
reader's cursor.
"""

from functools import singledispatch
from typing import TypeAlias

import msgspec

from cartrita.domain.events import (
    LoggedEvent,
    ReasoningAppended,
    RunCompleted,
    RunStarted,
    RunStopped,
    SourceFound,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UnknownEvent,
    UsageRecorded,
)
from cartrita.domain.runs import Queued, Snapshot
from cartrita.kit import ids, sse
from cartrita.kit.ids import RunId
from cartrita.surfaces.native.event_schemas import (
    ChatEvent,
    DoneData,
    DoneFrame,
    ErrorData,
    ErrorFrame,
    FunctionCallData,
    FunctionCallFrame,
    MetricsData,
    MetricsFrame,
    QueuedData,
    QueuedFrame,
    ReasoningData,
    ReasoningFrame,
    SnapshotData,
    SnapshotFrame,
    SnapshotMessage,
    SourceFrame,
    StreamStartData,
    StreamStartFrame,
    TokenData,
    TokenFrame,
    ToolResultData,
    ToolResultFrame,
)
from cartrita.surfaces.native.schemas import Source, TokenUsage, public_parts, public_sources

StreamItem: TypeAlias = LoggedEvent | Queued | Snapshot | None
"""An item of a run's tail; None means that a heartbeat is due."""

HEARTBEAT = sse.comment("")
_UNKNOWN_EVENT = sse.comment("of a newer version")
_encoder = msgspec.json.Encoder()


def event_id(run_id: RunId, seq: int) -> str:
    """`run_0192...c3.7`: a cursor into a run's log."""
    return f"{ids.public('run', run_id)}.{seq}"


def frame(item: StreamItem) -> bytes:
    """Render one item as a frame."""
    match item:
        case None:
            return HEARTBEAT
        case LoggedEvent(event=UnknownEvent()):
            # No event is dispatched, but the reader's cursor moves (WHATWG HTML 9.2.6).
            return b"id: %s\n" % event_id(item.run_id, item.seq).encode() + _UNKNOWN_EVENT
        case LoggedEvent():
            body = _encoder.encode(render(item.event, item.run_id))
            return sse.frame(body, id=event_id(item.run_id, item.seq))
        case Snapshot():
            messages = [
                SnapshotMessage(m.role, m.text, public_parts(m.parts)) for m in item.messages
            ]
            body = _encoder.encode(SnapshotFrame(SnapshotData(messages, item.recovered)))
            return sse.frame(body, id=event_id(item.run_id, item.seq))
        case Queued():
            return sse.frame(_encoder.encode(QueuedFrame(QueuedData(item.position))))


def is_terminal(item: StreamItem) -> bool:
    """Whether the item is the run's terminal event."""
    return isinstance(item, LoggedEvent) and item.terminal


@singledispatch
def render(event: object, run_id: RunId) -> ChatEvent:
    """The data of the frame for one logged event."""
    raise TypeError(f"No frame is known for {type(event).__name__}.")


@render.register
def _(event: RunStarted, run_id: RunId) -> ChatEvent:
    return StreamStartFrame(
        StreamStartData(
            conversation_id=event.conversation_id,
            run_id=ids.public("run", run_id),
            message_id=event.message_id,
            agent_type=event.agent,
            model=event.model,
            resumed=event.resumed,
        )
    )


@render.register
def _(event: TextAppended, run_id: RunId) -> ChatEvent:
    return TokenFrame(TokenData(event.text, event.text, event.position))


@render.register
def _(event: ReasoningAppended, run_id: RunId) -> ChatEvent:
    return ReasoningFrame(ReasoningData(event.text))


@render.register
def _(event: ToolCalled, run_id: RunId) -> ChatEvent:
    return FunctionCallFrame(FunctionCallData(event.call_id, event.name, event.arguments))


@render.register
def _(event: ToolReturned, run_id: RunId) -> ChatEvent:
    return ToolResultFrame(ToolResultData(event.call_id, event.name, event.result, event.success))


@render.register
def _(event: SourceFound, run_id: RunId) -> ChatEvent:
    return SourceFrame(Source.of(event.citation))


@render.register
def _(event: UsageRecorded, run_id: RunId) -> ChatEvent:
    tokens = event.usage.total_tokens
    return MetricsFrame(MetricsData(tokens, event.seconds, event.first_token_seconds, event.calls))


@render.register
def _(event: RunCompleted, run_id: RunId) -> ChatEvent:
    return DoneFrame(
        DoneData(
            final_response=event.text,
            conversation_id=event.conversation_id,
            message_id=event.message_id,
            run_id=ids.public("run", run_id),
            agent_type=event.agent,
            token_usage=TokenUsage.of(event.usage),
            processing_time=event.seconds,
            sources=public_sources(event.sources),
            finish_reason=event.finish_reason,
        )
    )


@render.register
def _(event: RunStopped, run_id: RunId) -> ChatEvent:
    return ErrorFrame(
        ErrorData(
            error=event.message,
            code=event.code,
            recoverable=event.recoverable,
            details=event.details,
            retry_after=msgspec.UNSET if event.retry_after is None else event.retry_after,
        )
    )
