"""Renders the events of a run as frames of the native surface.

Each event becomes exactly one frame, made from that event alone, so that a log read twice, or on
two replicas, gives the same bytes. `queued` is told and not logged: it has no id, and a reader's
cursor stays where it was.
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
from cartrita.surfaces.native.events import (
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
from cartrita.surfaces.native.shapes import Source, TokenUsage, parts, sources

Told: TypeAlias = LoggedEvent | Queued | Snapshot | None
"""What a run's tail yields: None where a heartbeat is due."""

HEARTBEAT = sse.comment("")
_PASSED_BY = sse.comment("of a newer version")
_encoder = msgspec.json.Encoder()


def event_id(run_id: RunId, seq: int) -> str:
    """`run_0192...c3.7`: a cursor into a run's log."""
    return f"{ids.public('run', run_id)}.{seq}"


def frame(told: Told) -> bytes:
    """One server-sent event."""
    match told:
        case None:
            return HEARTBEAT
        case LoggedEvent(event=UnknownEvent()):
            # Nothing is dispatched, but the cursor moves (WHATWG HTML 9.2.6).
            return b"id: %s\n" % event_id(told.run_id, told.seq).encode() + _PASSED_BY
        case LoggedEvent():
            body = _encoder.encode(render(told.event, told.run_id))
            return sse.frame(body, id=event_id(told.run_id, told.seq))
        case Snapshot():
            seen = [SnapshotMessage(m.role, m.text, parts(m.parts)) for m in told.messages]
            body = _encoder.encode(SnapshotFrame(SnapshotData(seen, told.recovered)))
            return sse.frame(body, id=event_id(told.run_id, told.seq))
        case Queued():
            return sse.frame(_encoder.encode(QueuedFrame(QueuedData(told.position))))


def ends(told: Told) -> bool:
    """Whether nothing follows: what a reader waits for before it stops coming back."""
    return isinstance(told, LoggedEvent) and told.terminal


@singledispatch
def render(event: object, run_id: RunId) -> ChatEvent:
    """The frame's body of one logged event."""
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
            sources=sources(event.sources),
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
