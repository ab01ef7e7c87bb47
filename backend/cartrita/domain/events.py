"""Events of a run: what the log stores and every surface renders.

A run's events are numbered 1..n without a gap. Each is rendered as exactly one frame on every
surface, so that numbers on the wire have no gap either. The first is `RunStarted`; the last, and
only the last, is terminal.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import ErrorKind
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage
from cartrita.kit.ids import RunId

VERSION = 1
"""Of the events as stored; a reader skips fields and passes by events that it does not know."""


class RunStarted(msgspec.Struct, frozen=True, omit_defaults=True, tag="run_started"):
    """A run begins; `message_id` is the answer that it will leave behind.

    `resumed` is true where it continues an interrupted answer.
    """

    conversation_id: str
    message_id: str
    agent: str
    model: str
    provider: str
    resumed: bool = False


class TextAppended(msgspec.Struct, frozen=True, tag="text_appended"):
    """New words of the answer; `position` counts the code points before them."""

    text: str
    position: int


class ReasoningAppended(msgspec.Struct, frozen=True, tag="reasoning_appended"):
    """More of what the model thinks."""

    text: str


class ToolCalled(msgspec.Struct, frozen=True, tag="tool_called"):
    """The model asked for a tool."""

    call_id: str
    name: str
    arguments: JsonObject


class ToolReturned(msgspec.Struct, frozen=True, tag="tool_returned"):
    """The tool answered."""

    call_id: str
    name: str
    result: JsonValue
    success: bool


class SourceFound(msgspec.Struct, frozen=True, tag="source_found"):
    """The answer rests on this."""

    citation: Citation


class CallMeasured(msgspec.Struct, frozen=True, omit_defaults=True, tag="call_measured"):
    """One model call ended; the run's usage is the sum of these.

    `seconds` is its whole time, `first_token_seconds` the time to its first visible output.
    """

    usage: Usage
    seconds: float
    first_token_seconds: float | None = None
    calls: int = 1


class RunCompleted(msgspec.Struct, frozen=True, omit_defaults=True, tag="run_completed"):
    """The answer is whole. Terminal. `calls` counts the model calls that it took."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    seconds: float
    conversation_id: str
    message_id: str
    agent: str
    model: str
    provider: str
    sources: tuple[Citation, ...] = ()
    calls: int = 1


class StopKind(StrEnum):
    """Why a run ended without a whole answer; these are run statuses too."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class RunStopped(msgspec.Struct, frozen=True, omit_defaults=True, tag="run_stopped"):
    """The run ended early; what was seen is kept. Terminal.

    `recoverable` is true where trying again, or continuing, may help; `error_kind` is what failed.
    """

    kind: StopKind
    code: str
    message: str
    recoverable: bool
    usage: Usage = Usage()
    details: JsonObject = {}
    retry_after: float | None = None
    error_kind: ErrorKind = ErrorKind.INTERNAL


class UnknownEvent(msgspec.Struct, frozen=True, tag="unknown"):
    """An event of a newer version, as it was stored: readers pass it by, its number counts."""

    stored: JsonObject


Terminal: TypeAlias = RunCompleted | RunStopped
Event: TypeAlias = (
    RunStarted
    | TextAppended
    | ReasoningAppended
    | ToolCalled
    | ToolReturned
    | SourceFound
    | CallMeasured
    | RunCompleted
    | RunStopped
    | UnknownEvent
)


class LoggedEvent(msgspec.Struct, frozen=True):
    """An event with its place in its run's log."""

    run_id: RunId
    seq: int
    event: Event

    @property
    def terminal(self) -> bool:
        return isinstance(self.event, RunCompleted | RunStopped)


def visible(event: Event) -> bool:
    """Whether a person has seen something of the answer once this event was delivered."""
    return not isinstance(event, RunStarted)
