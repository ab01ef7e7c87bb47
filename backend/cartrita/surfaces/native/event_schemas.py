"""Schemas of the server-sent events: `{"event": ..., "data": {...}}`.

Their JSON Schema is part of openapi.json.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.surfaces.native.schemas import ChatMetadata, Source, TokenUsage
from cartrita.surfaces.native.screen_schemas import ActionMarker


class StreamStartData(msgspec.Struct, frozen=True, omit_defaults=True):
    conversation_id: str
    run_id: str
    message_id: Annotated[str, Meta(description="The message that will hold the answer.")]
    agent_type: str
    model: str
    resumed: Annotated[bool, Meta(description="It continues an interrupted answer.")] = False
    transcription: (
        Annotated[str, Meta(description="What was heard, where the message was said.")]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class StreamStartFrame(msgspec.Struct, frozen=True, tag_field="event", tag="stream_start"):
    """A run starts. Always the first logged event."""

    data: StreamStartData


class QueuedData(msgspec.Struct, frozen=True):
    position: Annotated[int, Meta(description="From 1.")]
    eta_seconds: Annotated[
        float | None, Meta(description="Likely seconds until its turn, if it waits for a provider.")
    ] = None
    provider: str | None = None


class QueuedFrame(msgspec.Struct, frozen=True, tag_field="event", tag="queued"):
    """The run waits: for earlier runs of its conversation, or for the `provider` that is named."""

    data: QueuedData


class TokenData(msgspec.Struct, frozen=True):
    content: Annotated[str, Meta(description="The same as `delta`.")]
    delta: Annotated[str, Meta(description="The new text.")]
    position: Annotated[int, Meta(description="Unicode code points before it.")]


class TokenFrame(msgspec.Struct, frozen=True, tag_field="event", tag="token"):
    """More text of the answer."""

    data: TokenData


class ReasoningData(msgspec.Struct, frozen=True):
    delta: str


class ReasoningFrame(msgspec.Struct, frozen=True, tag_field="event", tag="reasoning"):
    """More reasoning of the model."""

    data: ReasoningData


TaskId: TypeAlias = Annotated[str, Meta(description="The task for which it was done.")]


class FunctionCallData(msgspec.Struct, frozen=True):
    call_id: str
    function_name: str
    arguments: JsonObject
    task_id: TaskId | msgspec.UnsetType = msgspec.UNSET


class FunctionCallFrame(msgspec.Struct, frozen=True, tag_field="event", tag="function_call"):
    """The model called a tool."""

    data: FunctionCallData


class ToolResultData(msgspec.Struct, frozen=True):
    call_id: str
    tool_name: str
    result: JsonValue
    success: bool
    task_id: TaskId | msgspec.UnsetType = msgspec.UNSET


class ToolResultFrame(msgspec.Struct, frozen=True, tag_field="event", tag="tool_result"):
    """The tool returned a result."""

    data: ToolResultData


class TaskStartData(msgspec.Struct, frozen=True):
    task_id: str
    agent_type: Annotated[str, Meta(description="The agent that does the task.")]
    description: str
    call_id: Annotated[str, Meta(description="The call of `delegate` that gave it.")]


class TaskStartFrame(msgspec.Struct, frozen=True, tag_field="event", tag="agent_task_start"):
    """An agent began a task that another agent gave it."""

    data: TaskStartData


class TaskProgressData(msgspec.Struct, frozen=True):
    task_id: Annotated[str, Meta(description="The task, or the call of a tool.")]
    progress: Annotated[float | None, Meta(description="From 0 to 1, where it is known.")]
    status: str
    current_step: Annotated[str, Meta(description="What is being done now.")]


class TaskProgressFrame(msgspec.Struct, frozen=True, tag_field="event", tag="agent_task_progress"):
    """How far a task, or a tool, is."""

    data: TaskProgressData


class TaskCompleteData(msgspec.Struct, frozen=True):
    task_id: str
    agent_type: str
    result: str
    success: bool
    execution_time: Annotated[float, Meta(description="Seconds.")]


class TaskCompleteFrame(msgspec.Struct, frozen=True, tag_field="event", tag="agent_task_complete"):
    """A task ended."""

    data: TaskCompleteData


class ApprovalRequiredData(msgspec.Struct, frozen=True):
    approval_id: str
    call_id: str
    tool_name: str
    arguments: JsonObject
    arguments_hash: Annotated[str, Meta(description="Sent back with the decision.")]
    expires_at: Annotated[str, Meta(description="Without a decision until then it is denied.")]
    task_id: TaskId | msgspec.UnsetType = msgspec.UNSET
    screenshot_url: (
        Annotated[str, Meta(description="The screen on which it would act.")] | msgspec.UnsetType
    ) = msgspec.UNSET
    markers: (
        Annotated[list[ActionMarker], Meta(description="Where on that it would act.")]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class ApprovalRequiredFrame(
    msgspec.Struct, frozen=True, tag_field="event", tag="approval_required"
):
    """The run waits for a person: see `POST /api/runs/{run_id}/approvals/{approval_id}`."""

    data: ApprovalRequiredData


class SourceFrame(msgspec.Struct, frozen=True, tag_field="event", tag="source"):
    """A source of the answer."""

    data: Source


class SnapshotMessage(msgspec.Struct, frozen=True):
    role: str
    content: str
    parts: list[JsonObject]


class SnapshotData(msgspec.Struct, frozen=True):
    messages: list[SnapshotMessage]
    recovered: Annotated[bool, Meta(description="False: the cursor lay beyond what survived.")]


class SnapshotFrame(msgspec.Struct, frozen=True, tag_field="event", tag="snapshot"):
    """The messages so far; replaces everything that was received before."""

    data: SnapshotData


class MetricsData(msgspec.Struct, frozen=True):
    tokens_used: int
    response_time: Annotated[float, Meta(description="Seconds.")]
    time_to_first_token: Annotated[float | None, Meta(description="Seconds.")]
    model_calls: int
    task_id: TaskId | msgspec.UnsetType = msgspec.UNSET


class MetricsFrame(msgspec.Struct, frozen=True, tag_field="event", tag="metrics"):
    """One model call ended."""

    data: MetricsData


class ErrorData(msgspec.Struct, frozen=True):
    error: Annotated[str, Meta(description="A sentence.")]
    code: str
    recoverable: Annotated[bool, Meta(description="Trying again, or continuing, may help.")]
    details: JsonObject
    retry_after: Annotated[float | None, Meta(description="Seconds.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )


class ErrorFrame(msgspec.Struct, frozen=True, tag_field="event", tag="error"):
    """The run failed, was cancelled or was interrupted: `code` says which. Terminal."""

    data: ErrorData


class DoneData(msgspec.Struct, frozen=True):
    final_response: str
    conversation_id: str
    message_id: str
    run_id: str
    agent_type: str
    token_usage: TokenUsage
    processing_time: Annotated[float, Meta(description="Seconds.")]
    sources: list[Source]
    finish_reason: str
    metadata: ChatMetadata


class DoneFrame(msgspec.Struct, frozen=True, tag_field="event", tag="done"):
    """The answer is complete. Terminal."""

    data: DoneData


ChatEvent: TypeAlias = (
    StreamStartFrame
    | QueuedFrame
    | TokenFrame
    | ReasoningFrame
    | FunctionCallFrame
    | ToolResultFrame
    | TaskStartFrame
    | TaskProgressFrame
    | TaskCompleteFrame
    | ApprovalRequiredFrame
    | SourceFrame
    | SnapshotFrame
    | MetricsFrame
    | ErrorFrame
    | DoneFrame
)
