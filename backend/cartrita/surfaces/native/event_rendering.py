"""Renders the items of a run's tail as events of the native API, whatever transport sends them.

Each item becomes one event that depends on that item only, so every replica renders the same events
for the same log.
"""

from functools import singledispatch

import msgspec

from cartrita.domain.events import (
    ApprovalAsked,
    ApprovalSettled,
    Event,
    HistorySummarized,
    LoggedEvent,
    ModelAccepted,
    ProviderAwaited,
    ReasoningAppended,
    ReasoningSealed,
    RunCompleted,
    RunStarted,
    RunStopped,
    SourceFound,
    TaskCompleted,
    TaskProgressed,
    TaskStarted,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UnknownEvent,
    UsageRecorded,
    VendorPartAdded,
)
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Queued, Snapshot, TailItem
from cartrita.kit import ids
from cartrita.surfaces.native.event_schemas import (
    ApprovalRequiredData,
    ApprovalRequiredFrame,
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
    TaskCompleteData,
    TaskCompleteFrame,
    TaskProgressData,
    TaskProgressFrame,
    TaskStartData,
    TaskStartFrame,
    TokenData,
    TokenFrame,
    ToolResultData,
    ToolResultFrame,
)
from cartrita.surfaces.native.schemas import (
    ChatMetadata,
    Source,
    TokenUsage,
    finish_reason,
    public_parts,
    public_sources,
)
from cartrita.surfaces.native.screen_schemas import ActionMarker, image_url

_TOLD_TO_NOBODY = (
    ApprovalSettled,
    HistorySummarized,
    ModelAccepted,
    ReasoningSealed,
    UnknownEvent,
    VendorPartAdded,
)


def render(item: TailItem) -> ChatEvent:
    """Render one item. Raises TypeError for events that have no public form."""
    match item:
        case LoggedEvent():
            return _render_logged(item.event, item.run_id)
        case Snapshot():
            messages = [
                SnapshotMessage(m.role, m.text, public_parts(m.parts)) for m in item.messages
            ]
            return SnapshotFrame(SnapshotData(messages, item.recovered))
        case Queued():
            return QueuedFrame(QueuedData(item.position))


def is_public(event: Event) -> bool:
    """Whether readers are told of an event; others only move their cursors."""
    return not isinstance(event, _TOLD_TO_NOBODY)


def is_terminal(item: TailItem | None) -> bool:
    """Whether the item is the run's terminal event."""
    return isinstance(item, LoggedEvent) and item.terminal


@singledispatch
def _render_logged(event: object, run_id: RunId) -> ChatEvent:
    raise TypeError(f"No rendering is known for {type(event).__name__}.")


@_render_logged.register
def _(event: RunStarted, run_id: RunId) -> ChatEvent:
    return StreamStartFrame(
        StreamStartData(
            conversation_id=event.conversation_id,
            run_id=ids.public("run", run_id),
            message_id=event.message_id,
            agent_type=event.agent,
            model=event.model,
            resumed=event.resumed,
            transcription=msgspec.UNSET if event.heard is None else event.heard,
        )
    )


@_render_logged.register
def _(event: ProviderAwaited, run_id: RunId) -> ChatEvent:
    return QueuedFrame(QueuedData(event.position, event.seconds, event.provider))


@_render_logged.register
def _(event: TextAppended, run_id: RunId) -> ChatEvent:
    return TokenFrame(TokenData(event.text, event.text, event.position))


@_render_logged.register
def _(event: ReasoningAppended, run_id: RunId) -> ChatEvent:
    return ReasoningFrame(ReasoningData(event.text))


@_render_logged.register
def _(event: ToolCalled, run_id: RunId) -> ChatEvent:
    called = (event.call_id, event.name, event.arguments, event.task_id or msgspec.UNSET)
    return FunctionCallFrame(FunctionCallData(*called))


@_render_logged.register
def _(event: ToolReturned, run_id: RunId) -> ChatEvent:
    returned = (event.call_id, event.name, event.result, event.success)
    return ToolResultFrame(ToolResultData(*returned, event.task_id or msgspec.UNSET))


@_render_logged.register
def _(event: TaskStarted, run_id: RunId) -> ChatEvent:
    return TaskStartFrame(
        TaskStartData(event.task_id, event.agent, event.description, event.call_id)
    )


@_render_logged.register
def _(event: TaskProgressed, run_id: RunId) -> ChatEvent:
    return TaskProgressFrame(
        TaskProgressData(event.task_id, event.progress, "running", event.status)
    )


@_render_logged.register
def _(event: TaskCompleted, run_id: RunId) -> ChatEvent:
    return TaskCompleteFrame(
        TaskCompleteData(event.task_id, event.agent, event.result, event.success, event.seconds)
    )


@_render_logged.register
def _(event: ApprovalAsked, run_id: RunId) -> ChatEvent:
    return ApprovalRequiredFrame(
        ApprovalRequiredData(
            event.approval_id,
            event.call_id,
            event.name,
            event.arguments,
            event.arguments_hash,
            event.expires_at,
            event.task_id or msgspec.UNSET,
            screenshot_url=image_url(event.shown) or msgspec.UNSET,
            markers=ActionMarker.all_of(event.shown) or msgspec.UNSET,
        )
    )


@_render_logged.register
def _(event: SourceFound, run_id: RunId) -> ChatEvent:
    return SourceFrame(Source.of(event.citation))


@_render_logged.register
def _(event: UsageRecorded, run_id: RunId) -> ChatEvent:
    return MetricsFrame(
        MetricsData(
            event.usage.total_tokens,
            event.seconds,
            event.first_token_seconds,
            event.calls,
            event.task_id or msgspec.UNSET,
        )
    )


@_render_logged.register
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
            finish_reason=finish_reason(event),
            metadata=ChatMetadata.of(run_id, event),
        )
    )


@_render_logged.register
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
