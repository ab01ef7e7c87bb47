"""The objects of A2A 1.0 that this server reads and writes, by their names on the wire.

Source: https://a2a-protocol.org/latest/specification/ and its a2a.proto, in ProtoJSON.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET

PROTOCOL_VERSION = "1.0"

Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An object on the wire; what has its default is left out."""


class TaskState(StrEnum):
    """States of tasks."""

    SUBMITTED = "TASK_STATE_SUBMITTED"
    WORKING = "TASK_STATE_WORKING"
    INPUT_REQUIRED = "TASK_STATE_INPUT_REQUIRED"
    COMPLETED = "TASK_STATE_COMPLETED"
    FAILED = "TASK_STATE_FAILED"
    CANCELED = "TASK_STATE_CANCELED"


class MessageRole(StrEnum):
    """Who says a message."""

    USER = "ROLE_USER"
    AGENT = "ROLE_AGENT"


class ContentPart(Wire, frozen=True):
    """A part of a message or of an artifact: exactly one of text, data, raw and url."""

    text: str | None = None
    data: Any = UNSET
    raw: str | None = None
    url: str | None = None
    media_type: str | None = None
    filename: str | None = None


class AgentMessage(Wire, frozen=True):
    """A message of a caller, or of the agent."""

    message_id: Id
    role: MessageRole
    parts: tuple[ContentPart, ...]
    context_id: str | None = None
    task_id: str | None = None
    metadata: Mapping[str, Any] = {}


class TaskStatus(Wire, frozen=True):
    """The state of a task; `timestamp` is in ISO 8601, in UTC."""

    state: TaskState
    message: AgentMessage | None = None
    timestamp: str | None = None


class Artifact(Wire, frozen=True):
    """What a task has made: the answer."""

    artifact_id: str
    name: str
    parts: tuple[ContentPart, ...]
    metadata: Mapping[str, Any] = {}


class Task(Wire, frozen=True):
    """A run, as callers of A2A see it."""

    id: str
    context_id: str
    status: TaskStatus
    artifacts: tuple[Artifact, ...] = ()
    history: tuple[AgentMessage, ...] = ()
    metadata: Mapping[str, Any] = {}


class StatusUpdate(Wire, frozen=True):
    """A task has another state, or its agent tells what it does."""

    task_id: str
    context_id: str
    status: TaskStatus
    metadata: Mapping[str, Any] = {}


class ArtifactUpdate(Wire, frozen=True):
    """More of an artifact, or with `append` false all of it until now."""

    task_id: str
    context_id: str
    artifact: Artifact
    append: bool = False


class SendConfiguration(Wire, frozen=True):
    """How a message is answered."""

    history_length: Annotated[int, msgspec.Meta(ge=0)] | None = None
    return_immediately: bool = False
    task_push_notification_config: Any = UNSET


class SendParams(Wire, frozen=True):
    """The parameters of SendMessage and SendStreamingMessage."""

    message: AgentMessage
    configuration: SendConfiguration = SendConfiguration()
    metadata: Mapping[str, Any] = {}


class TaskParams(Wire, frozen=True):
    """The parameters of GetTask, CancelTask and SubscribeToTask."""

    id: Id
    history_length: Annotated[int, msgspec.Meta(ge=0)] | None = None


class SentTask(Wire, frozen=True):
    """The result of SendMessage, and the first one of a stream."""

    task: Task


class SentStatus(Wire, frozen=True):
    """A result in a stream."""

    status_update: StatusUpdate


class SentArtifact(Wire, frozen=True):
    """A result in a stream."""

    artifact_update: ArtifactUpdate


StreamResult: TypeAlias = SentTask | SentStatus | SentArtifact
