"""The body of each server-sent event on the native surface: `{"event": ..., "data": {...}}`.

Their JSON Schema goes into openapi.json, so that nothing is written down twice.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.surfaces.native.shapes import Source, TokenUsage


class StreamStartData(msgspec.Struct, frozen=True, omit_defaults=True):
    conversation_id: str
    run_id: str
    message_id: Annotated[str, Meta(description="The answer that this run will leave behind.")]
    agent_type: str
    model: str
    resumed: Annotated[bool, Meta(description="It continues an interrupted answer.")] = False


class StreamStartFrame(msgspec.Struct, frozen=True, tag_field="event", tag="stream_start"):
    """A run begins. Always the first logged event."""

    data: StreamStartData


class QueuedData(msgspec.Struct, frozen=True):
    position: Annotated[int, Meta(description="From 1.")]
    eta_seconds: float | None = None
    provider: str | None = None


class QueuedFrame(msgspec.Struct, frozen=True, tag_field="event", tag="queued"):
    """The run waits for its conversation."""

    data: QueuedData


class TokenData(msgspec.Struct, frozen=True):
    content: Annotated[str, Meta(description="The same as `delta`.")]
    delta: Annotated[str, Meta(description="The new text.")]
    position: Annotated[int, Meta(description="Unicode code points before it.")]


class TokenFrame(msgspec.Struct, frozen=True, tag_field="event", tag="token"):
    """More of the answer."""

    data: TokenData


class ReasoningData(msgspec.Struct, frozen=True):
    delta: str


class ReasoningFrame(msgspec.Struct, frozen=True, tag_field="event", tag="reasoning"):
    """More of what the model thinks."""

    data: ReasoningData


class FunctionCallData(msgspec.Struct, frozen=True):
    call_id: str
    function_name: str
    arguments: JsonObject


class FunctionCallFrame(msgspec.Struct, frozen=True, tag_field="event", tag="function_call"):
    """The model asked for a tool."""

    data: FunctionCallData


class ToolResultData(msgspec.Struct, frozen=True):
    call_id: str
    tool_name: str
    result: JsonValue
    success: bool


class ToolResultFrame(msgspec.Struct, frozen=True, tag_field="event", tag="tool_result"):
    """The tool answered."""

    data: ToolResultData


class SourceFrame(msgspec.Struct, frozen=True, tag_field="event", tag="source"):
    """The answer rests on this."""

    data: Source


class SnapshotMessage(msgspec.Struct, frozen=True):
    role: str
    content: str
    parts: list[JsonObject]


class SnapshotData(msgspec.Struct, frozen=True):
    messages: list[SnapshotMessage]
    recovered: Annotated[bool, Meta(description="False: the cursor lay beyond what survived.")]


class SnapshotFrame(msgspec.Struct, frozen=True, tag_field="event", tag="snapshot"):
    """What is there, to be taken instead of what was received so far."""

    data: SnapshotData


class MetricsData(msgspec.Struct, frozen=True):
    tokens_used: int
    response_time: Annotated[float, Meta(description="Seconds.")]
    time_to_first_token: Annotated[float | None, Meta(description="Seconds.")]
    model_calls: int


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


class DoneFrame(msgspec.Struct, frozen=True, tag_field="event", tag="done"):
    """The answer is whole. Terminal."""

    data: DoneData


ChatEvent: TypeAlias = (
    StreamStartFrame
    | QueuedFrame
    | TokenFrame
    | ReasoningFrame
    | FunctionCallFrame
    | ToolResultFrame
    | SourceFrame
    | SnapshotFrame
    | MetricsFrame
    | ErrorFrame
    | DoneFrame
)
