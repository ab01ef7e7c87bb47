"""Events of a run: what the log stores and every surface renders.

A run's events are numbered 1..n without a gap. Each is rendered as exactly one frame on the native
surface, so that numbers on the wire have no gap either. The first is `RunStarted`; the last, and
only the last, is terminal.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.deltas import FinishReason
from cartrita.domain.desktop_films import Shown
from cartrita.domain.errors import ErrorKind
from cartrita.domain.failovers import Failover
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage

VERSION = 6
"""Version of the stored events. Readers ignore unknown fields and skip unknown events."""


class RunStarted(msgspec.Struct, frozen=True, omit_defaults=True, tag="run_started"):
    """The run started; `message_id` is the id of its future answer.

    `resumed` is true if the run continues an interrupted answer. `heard` is the message that it
    answers, where that was said.
    """

    conversation_id: str
    message_id: str
    agent: str
    model: str
    provider: str
    resumed: bool = False
    heard: str | None = None


class TextAppended(msgspec.Struct, frozen=True, omit_defaults=True, tag="text_appended"):
    """More text of the answer; `position` is the number of code points before it.

    `logprobs` are those of its tokens, as OpenAI writes them, where the caller asked for them.
    `refusal` is true where the model refuses to answer, and its dialect says so.
    """

    text: str
    position: int
    logprobs: tuple[JsonObject, ...] = ()
    refusal: bool = False


class ReasoningAppended(msgspec.Struct, frozen=True, tag="reasoning_appended"):
    """More of the model's reasoning."""

    text: str


class ReasoningSealed(msgspec.Struct, frozen=True, omit_defaults=True, tag="reasoning_sealed"):
    """The reasoning so far is one block, which must be sent back as it is: see `Reasoning`.

    Without reasoning before it, the block has no readable text.
    """

    signature: str | None = None
    encrypted: str | None = None
    origin: str | None = None
    id: str | None = None


class VendorPartAdded(msgspec.Struct, frozen=True, tag="vendor_part_added"):
    """A part that only the dialect of its provider understands."""

    part: VendorPart


class ModelAccepted(msgspec.Struct, frozen=True, omit_defaults=True, tag="model_accepted"):
    """A deployment began to answer: recorded where it tells more than `RunStarted` did."""

    provider: str
    model: str
    receipts: tuple[Receipt, ...] = ()
    failovers: tuple[Failover, ...] = ()


class ProviderAwaited(msgspec.Struct, frozen=True, omit_defaults=True, tag="provider_awaited"):
    """A provider takes no call for some seconds, or failed for now: the run waits for it.

    `position` is the run's place among those that wait, from 1; it comes again as that changes.
    """

    provider: str
    seconds: float
    position: int = 1


class ToolCalled(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_called"):
    """A model called a tool; `own` is true if this server runs it, and not the caller.

    With a `task_id`, the model of an agent did that does this task. The rest is in `ToolCall`.
    """

    call_id: str
    name: str
    arguments: JsonObject
    own: bool = False
    task_id: str | None = None
    malformed: bool = False
    problem: str | None = None
    origin: str | None = None
    vendor: JsonObject = {}


class ToolReturned(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_returned"):
    """A tool returned its result, to the agent of a task if there is a `task_id`.

    `cost` is what it spent, in US dollars, besides the model calls of a task. `unknown` is true if
    nobody knows whether it took effect.
    """

    call_id: str
    name: str
    result: JsonValue
    success: bool
    task_id: str | None = None
    cost: float | None = None
    unknown: bool = False


class SourceFound(msgspec.Struct, frozen=True, omit_defaults=True, tag="source_found"):
    """A source that the answer is based on; `task_id` is the task that found it."""

    citation: Citation
    task_id: str | None = None


class TaskStarted(msgspec.Struct, frozen=True, tag="task_started"):
    """An agent began a task that another agent gave it by the call `call_id`."""

    task_id: str
    call_id: str
    agent: str
    description: str


class TaskProgressed(msgspec.Struct, frozen=True, omit_defaults=True, tag="task_progressed"):
    """What is being done now: by the agent of a task, or by a tool.

    `task_id` is the id of the task, or of the call. `progress` is from 0 to 1, where it is known.
    """

    task_id: str
    status: str
    progress: float | None = None


class TaskCompleted(msgspec.Struct, frozen=True, tag="task_completed"):
    """A task has ended; `result` is what its giver is told. Stopped with its run, it has 0 s."""

    task_id: str
    agent: str
    result: str
    success: bool
    seconds: float


class ApprovalAsked(msgspec.Struct, frozen=True, omit_defaults=True, tag="approval_asked"):
    """The run waits for a decision on a call: see `Approval`. `expires_at` is ISO 8601, in UTC."""

    approval_id: str
    call_id: str
    name: str
    arguments: JsonObject
    arguments_hash: str
    expires_at: str
    task_id: str | None = None
    shown: Shown | None = None


class ApprovalSettled(msgspec.Struct, frozen=True, tag="approval_settled"):
    """A person has decided, or the time is over; `decision` is approved, denied or expired."""

    approval_id: str
    decision: str


class HistorySummarized(msgspec.Struct, frozen=True, tag="history_summarized"):
    """The model is given a summary of so many messages, with which the conversation begins."""

    messages: int


class UsageRecorded(msgspec.Struct, frozen=True, omit_defaults=True, tag="call_measured"):
    """Usage of one model call; the run's usage is the sum of these.

    `seconds` is the duration of the call, `first_token_seconds` the time to its first visible
    output. The tag is older than the name of the class; stored events keep it. `agent` made it, for
    the task `task_id` if there is one; it cost so many US dollars, where the price is known.
    """

    usage: Usage
    seconds: float
    first_token_seconds: float | None = None
    calls: int = 1
    agent: str | None = None
    task_id: str | None = None
    cost: float | None = None


class AgentUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one agent did for an answer; `cost` is in US dollars, None where a price is unknown."""

    agent: str
    calls: int = 0
    usage: Usage = Usage()
    cost: float | None = None


class RunCompleted(msgspec.Struct, frozen=True, omit_defaults=True, tag="run_completed"):
    """The answer is complete. Terminal. `calls` is the number of model calls.

    `refused` is true if a part of it is a refusal, whatever the finish reason is. `agents` are all
    that worked for it, the one that answers first. `cap` names what was used up when the agent had
    to conclude.
    """

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
    receipts: tuple[Receipt, ...] = ()
    failovers: tuple[Failover, ...] = ()
    stop_sequence: str | None = None
    vendor_reason: str | None = None
    refused: bool = False
    agents: tuple[AgentUse, ...] = ()
    cap: str | None = None

    @property
    def agents_used(self) -> tuple[str, ...]:
        """The ids of all that worked for it, the one that answers first."""
        return tuple(dict.fromkeys((self.agent, *(use.agent for use in self.agents))))


class StopStatus(StrEnum):
    """Statuses of runs that ended without a complete answer."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class RunStopped(msgspec.Struct, frozen=True, omit_defaults=True, tag="run_stopped"):
    """The run ended early; its partial answer is kept. Terminal.

    `recoverable` is true if a retry or a continuation may succeed; `error_kind` classifies the
    failure.
    """

    kind: StopStatus
    code: str
    message: str
    recoverable: bool
    usage: Usage = Usage()
    details: JsonObject = {}
    retry_after: float | None = None
    error_kind: ErrorKind = ErrorKind.INTERNAL


class UnknownEvent(msgspec.Struct, frozen=True, tag="unknown"):
    """An event of a newer version, as stored. Readers skip it, but its number counts."""

    stored: JsonObject


Terminal: TypeAlias = RunCompleted | RunStopped
Event: TypeAlias = (
    RunStarted
    | TextAppended
    | ReasoningAppended
    | ReasoningSealed
    | VendorPartAdded
    | ModelAccepted
    | ProviderAwaited
    | ToolCalled
    | ToolReturned
    | SourceFound
    | TaskStarted
    | TaskProgressed
    | TaskCompleted
    | ApprovalAsked
    | ApprovalSettled
    | HistorySummarized
    | UsageRecorded
    | RunCompleted
    | RunStopped
    | UnknownEvent
)


class LoggedEvent(msgspec.Struct, frozen=True):
    """An event with its number in the log of its run."""

    run_id: RunId
    seq: int
    event: Event

    @property
    def terminal(self) -> bool:
        return isinstance(self.event, RunCompleted | RunStopped)
