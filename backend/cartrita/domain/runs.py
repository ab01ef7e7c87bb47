"""Runs: from input to terminal event."""

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from cartrita.domain.events import RunStarted, Terminal
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, MessageStatus
from cartrita.domain.requests import Sampling
from cartrita.domain.usage import Usage
from cartrita.kit.ids import ConversationId, MessageId, RunId


class RunStatus(StrEnum):
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


class Busy(StrEnum):
    """What to do with a message for a conversation whose answer is still being written.

    `interrupt` stops that answer and withdraws what waits behind it, so that this one is next.
    """

    ENQUEUE = "enqueue"
    REJECT = "reject"
    INTERRUPT = "interrupt"


class RunInput(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a run needs to be executed by any replica, besides its conversation.

    `context` are earlier messages that the caller brought along; `prefix` is the text of an
    interrupted answer that this run continues.
    """

    agent: str
    provider: str
    model: str
    instructions: str | None = None
    sampling: Sampling = Sampling()
    context: tuple[Message, ...] = ()
    prefix: str = ""


class Idempotency(msgspec.Struct, frozen=True):
    """A caller's promise that requests with this key and hash are one."""

    route: str
    key: str
    request_hash: bytes


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A user's message to be stored with the run that answers it.

    `parent_id` pins its place in the tree (an edit makes a branch); None means the end of the
    conversation's current branch, found when the run begins.
    """

    message: Message
    parent_id: MessageId | None = None
    at_root: bool = False
    edited: bool = False
    metadata: JsonObject = {}


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a run, checked and whole.

    `conversation_id` None makes a conversation titled `title`; one that is titled `untitled` takes
    that title too. `new_message` None answers the stored message `answer_to` once more (a retry).
    """

    owner_id: str
    surface: str
    input: RunInput
    title: str
    conversation_id: ConversationId | None = None
    new_message: NewMessage | None = None
    answer_to: MessageId | None = None
    busy: Busy = Busy.ENQUEUE
    client_msg_id: str | None = None
    idempotency: Idempotency | None = None
    untitled: str | None = None


class Admitted(msgspec.Struct, frozen=True):
    """The run that answers a request; `created` is false where it was there already."""

    run_id: RunId
    conversation_id: ConversationId
    status: RunStatus
    created: bool


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A run that this replica must execute now.

    `last_seq` is the log's end at the claim; `seconds_left` is until the run's deadline;
    `cancelled` says that somebody asked for its end before it began.
    """

    run_id: RunId
    owner_id: str
    conversation_id: ConversationId
    user_message_id: MessageId
    message_id: MessageId
    input: RunInput
    attempt: int
    last_seq: int
    started: RunStarted
    seconds_left: float
    cancelled: bool


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run's last transaction stores.

    `message` None leaves no message (nothing was seen). `keep_idempotency` is false where nothing
    was seen, so that the caller's key may be tried again.
    """

    status: RunStatus
    event: Terminal
    usage: Usage
    message: Message | None
    message_status: MessageStatus = MessageStatus.COMPLETE
    keep_idempotency: bool = True


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as callers see it."""

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
    input: RunInput
    attempt: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested: bool
    last_seq: int | None
    usage: Usage | None
    error_code: str | None


class Queued(msgspec.Struct, frozen=True):
    """The run waits for its conversation; `position` counts from 1. Told, but not logged."""

    run_id: RunId
    position: int


class Snapshot(msgspec.Struct, frozen=True):
    """The run up to `seq`, told where its events cannot be. Told, not logged.

    `recovered` is false where the cursor was beyond what survived: take this instead.
    """

    run_id: RunId
    seq: int
    messages: tuple[Message, ...]
    recovered: bool


class CancelRequested(msgspec.Struct, frozen=True, tag="cancel"):
    """Somebody asked this replica's run to stop."""

    run_id: RunId


class Claimable(msgspec.Struct, frozen=True, tag="claimable"):
    """A run may be waiting for an owner."""


class Deposed(msgspec.Struct, frozen=True, tag="deposed"):
    """This replica lost its lease: whatever it runs belongs to others now."""


Signal: TypeAlias = CancelRequested | Claimable | Deposed
