"""Runs: a run covers everything from a user's input to its terminal event."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from cartrita.domain.approvals import Approval, ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.errors import Conflict
from cartrita.domain.events import Event, LoggedEvent, RunStarted, Terminal
from cartrita.domain.ids import ConversationId, MessageId, RunId, public_conversation_id
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, MessageStatus, Part, Text
from cartrita.domain.prompts import PromptVersion
from cartrita.domain.requests import ReasoningOptions, ResponseFormat, Sampling, VendorFields
from cartrita.domain.run_parts import RunPart
from cartrita.domain.step_records import StepRecord
from cartrita.domain.tools import Tool, ToolChoice
from cartrita.domain.usage import Usage


class RunStatus(StrEnum):
    """How far a run is: one that waits does so for a person, and the last four are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        return self in _ENDED


_ENDED = frozenset(
    {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED}
)


class BusyPolicy(StrEnum):
    """What to do with a message for a conversation that has an unfinished run.

    `enqueue` adds the message to the queue, `reject` refuses it, and `interrupt` cancels the
    unfinished runs, so that this message is answered next.
    """

    ENQUEUE = "enqueue"
    REJECT = "reject"
    INTERRUPT = "interrupt"


RUN_INPUT_VERSION: Final = 6
"""The latest version of `RunInput` that this server can execute."""


class RunInput(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a run needs to be executed by any replica, besides its conversation.

    `context` are earlier messages that the caller brought along; `prefix` is the text of an
    interrupted answer that this run continues, or the last of it, where `done` are all parts of an
    answer with steps or sources. Decoding ignores unknown fields but refuses
    a `version` that is too new: whoever adds a field increases `RUN_INPUT_VERSION`, and inputs that
    use the field carry that version, so that an older replica leaves them to a newer one.

    Version 2 is a whole model request, as `ModelRequest` has it, without the messages: instructions
    in parts, and the fields from `tools` to `strict`. `metadata` is what the caller attached to the
    request, `echo` are the other fields of it that its surface shows again with the answer, and
    `brought` is how many messages were stored with the run. `route` is the name of the route that
    `provider` and `model` are the first choice of. Version 3 adds `key_id`, the API key that asked
    for the run, for the usage ledger, and `context_tokens`, the most tokens of history that the
    model is given. Version 4 adds `done`, and what the request tightens: `caps`, `approval`, and
    `allowed_tools` (stored as `own_tools`), the names of the server's tools that the agent may use:
    all that it has where it is None. Version 5 adds `answerable`: whether somebody can decide on
    approvals where it was asked for. Version 6 adds `loosened_to`, the policy that counts instead
    of the answering agent's own, where the key may choose it.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=RUN_INPUT_VERSION)] = 1
    agent: str
    provider: str
    model: str
    instructions: str | tuple[Text, ...] | None = None
    sampling: Sampling = Sampling()
    context: tuple[Message, ...] = ()
    prefix: str = ""
    done: tuple[Part, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat = ResponseFormat()
    reasoning: ReasoningOptions = ReasoningOptions()
    user: str | None = None
    origin: str | None = None
    vendor: VendorFields | None = None
    strict: bool = False
    metadata: JsonObject = {}
    echo: JsonObject = {}
    route: str | None = None
    brought: int = 0
    key_id: str | None = None
    context_tokens: int | None = None
    caps: Caps = Caps()
    approval: ApprovalPolicy | None = None
    allowed_tools: tuple[str, ...] | None = msgspec.field(default=None, name="own_tools")
    answerable: bool = True
    loosened_to: ApprovalPolicy | None = None

    def asked_with(self, key_id: str) -> "RunInput":
        """The input of a run that this API key asks for."""
        return msgspec.structs.replace(self, version=RUN_INPUT_VERSION, key_id=key_id)


class Idempotency(msgspec.Struct, frozen=True):
    """An Idempotency-Key with its route and the hash of the request that it was sent with."""

    route: str
    key: str
    request_hash: bytes


def message_id_reused() -> Conflict:
    """What is raised for a client_msg_id that came with another message before."""
    return Conflict(
        "This client_msg_id was used for another message; send a new one with each.",
        code="client_msg_id_reused",
    )


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be stored with the run that answers it.

    `before` are messages that are stored with it, each under the one before it. `parent_id` fixes
    the parent of the first of them in the message tree (an edit makes a branch); None means the end
    of the conversation's current branch, determined when the run starts.
    """

    message: Message
    before: tuple[Message, ...] = ()
    parent_id: MessageId | None = None
    at_root: bool = False
    edited: bool = False
    metadata: JsonObject = {}


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A validated request for a run.

    `conversation_id` None creates a conversation titled `title`, with the caller's `external_id`
    for it; an existing one whose title is `untitled` gets that title too. `new_message` None
    answers the stored message `answer_to` again (a retry). `last_words` are begun here also where
    this server begins to stop. `caller_trace` is that of the principal.
    """

    owner_id: str
    surface: str
    input: RunInput
    title: str
    conversation_id: ConversationId | None = None
    external_id: str | None = None
    new_message: NewMessage | None = None
    answer_to: MessageId | None = None
    busy: BusyPolicy = BusyPolicy.ENQUEUE
    client_msg_id: str | None = None
    idempotency: Idempotency | None = None
    untitled: str | None = None
    last_words: bool = False
    caller_trace: str | None = None


class Admitted(msgspec.Struct, frozen=True):
    """The run that answers a request; `created` is false if an earlier request created it."""

    run_id: RunId
    conversation_id: ConversationId
    status: RunStatus
    created: bool


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A run that this replica must execute now.

    `surface` is where it was asked for; `last_seq` is the last number in its log at the claim;
    `seconds_left` is the time to its deadline; `cancelled` is true if it was cancelled before it
    started. `worked_s` are the seconds for which replicas have worked on it before,
    `logged` is its log until now, `steps` what it has done, and `approvals` those that it has asked
    for.
    """

    run_id: RunId
    owner_id: str
    surface: str
    conversation_id: ConversationId
    user_message_id: MessageId
    message_id: MessageId
    input: RunInput
    attempt: int
    last_seq: int
    started: RunStarted
    seconds_left: float
    cancelled: bool
    worked_s: float = 0.0
    logged: tuple[Event, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def part(
        self, agent: str, task_id: str | None = None, prompt: PromptVersion | None = None
    ) -> RunPart:
        """What this agent does in the run."""
        return RunPart(self.run_id, self.conversation_id, agent, task_id, prompt)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the last transaction of a run stores.

    `message` None stores no message (there was no output). `keep_idempotency` is false if there was
    no visible output, so that the caller may use the key again.
    """

    status: RunStatus
    event: Terminal
    usage: Usage
    message: Message | None
    message_status: MessageStatus = MessageStatus.COMPLETE
    keep_idempotency: bool = True


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as callers see it; `input` is None if a newer version of this server wrote it.

    `external_id` is the one of its conversation.
    """

    id: RunId
    owner_id: str
    conversation_id: ConversationId
    message_id: MessageId
    user_message_id: MessageId
    surface: str
    status: RunStatus
    agent: str
    provider: str
    model: str
    input: RunInput | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested: bool
    last_seq: int | None
    usage: Usage | None
    error_code: str | None
    external_id: str | None = None

    @property
    def public_conversation_id(self) -> str:
        """The id by which callers know its conversation."""
        return public_conversation_id(self.conversation_id, self.external_id)


class Queued(msgspec.Struct, frozen=True):
    """The run's position in its conversation's queue, from 1. Sent to readers, never logged."""

    run_id: RunId
    position: int


class Snapshot(msgspec.Struct, frozen=True):
    """The messages of a run up to `seq`, for readers to whom its events cannot be sent.

    Sent to readers, never logged. `recovered` is false if the reader's cursor was beyond the end of
    the log (after a restore or failover): the snapshot replaces what the reader has.
    """

    run_id: RunId
    seq: int
    messages: tuple[Message, ...]
    recovered: bool


TailItem: TypeAlias = LoggedEvent | Queued | Snapshot
"""What the tail of a run tells its readers."""


class CancelRequested(msgspec.Struct, frozen=True):
    """A caller cancelled a run that this replica executes."""

    run_id: RunId


class RunAvailable(msgspec.Struct, frozen=True):
    """There may be a run to claim."""


class LeaseRevoked(msgspec.Struct, frozen=True):
    """This replica lost its lease, so it owns none of its runs any more."""


Signal: TypeAlias = CancelRequested | RunAvailable | LeaseRevoked
