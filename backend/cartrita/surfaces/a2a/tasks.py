"""Runs as tasks: their states, their answers, and what they wait for."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cartrita.domain.approvals import Approval
from cartrita.domain.errors import NotFound
from cartrita.domain.messages import Citation, StoredMessage
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, RunStatus
from cartrita.kit import ids
from cartrita.surfaces.a2a.types import (
    AgentMessage,
    Artifact,
    ContentPart,
    MessageRole,
    Task,
    TaskState,
    TaskStatus,
)
from cartrita.surfaces.services import Services

ANSWER: Final = "answer"
"""The id of the one artifact of a task."""
_STATES: Final[Mapping[RunStatus, TaskState]] = {
    RunStatus.QUEUED: TaskState.SUBMITTED,
    RunStatus.RUNNING: TaskState.WORKING,
    RunStatus.WAITING: TaskState.INPUT_REQUIRED,
    RunStatus.COMPLETED: TaskState.COMPLETED,
    RunStatus.FAILED: TaskState.FAILED,
    RunStatus.CANCELLED: TaskState.CANCELED,
    RunStatus.INTERRUPTED: TaskState.FAILED,
}


async def task_of(
    services: Services,
    principal: Principal,
    run: Run,
    *,
    history_length: int | None = None,
    reason: str | None = None,
) -> Task:
    """A run as a task, with what it has answered until now.

    `reason` says why it ended early; `history_length` 0 leaves out what was asked.
    """
    answer = await _stored(services, principal, run, ids.public("msg", run.message_id))
    asked = None
    if history_length != 0:
        asked = await _stored(services, principal, run, ids.public("msg", run.user_message_id))
    return Task(
        id=ids.public("run", run.id),
        context_id=run.public_conversation_id,
        status=await _status(services, principal, run, reason),
        artifacts=() if answer is None else (_artifact(answer),),
        history=() if asked is None else (_asked(run, asked),),
        metadata={"agent": run.agent},
    )


def begun_task(run: Run) -> Task:
    """A run as the task that a stream begins with."""
    return Task(
        id=ids.public("run", run.id),
        context_id=run.public_conversation_id,
        status=TaskStatus(state=_STATES[run.status], timestamp=timestamp(run.created_at)),
        metadata={"agent": run.agent},
    )


def said(task_id: str, context_id: str, name: str, *parts: ContentPart) -> AgentMessage:
    """A message of the agent about its task; `name` tells it from its others."""
    return AgentMessage(
        message_id=f"{task_id}.{name}",
        role=MessageRole.AGENT,
        parts=parts,
        task_id=task_id,
        context_id=context_id,
    )


def answer_artifact(text: str, citations: Iterable[Citation] = ()) -> Artifact:
    """The answer, or a piece of it."""
    sources = sources_of(citations)
    return Artifact(
        artifact_id=ANSWER,
        name=ANSWER,
        parts=(ContentPart(text=text, media_type="text/plain"),),
        metadata={"sources": sources} if sources else {},
    )


def sources_of(citations: Iterable[Citation]) -> list[Mapping[str, Any]]:
    """The sources of an answer, by the numbers of their marks."""
    return [{"index": each.index, "title": each.title, "url": each.url} for each in citations]


def approval_data(run_id: str, approvals: Iterable[Approval]) -> ContentPart:
    """The calls that a person must decide on, and where."""
    asked: list[Mapping[str, Any]] = [
        {
            "approvalId": ids.public("appr", each.id),
            "tool": each.tool,
            "arguments": each.arguments,
            "argumentsHash": each.arguments_hash,
            "expiresAt": timestamp(each.expires_at),
            "decideAt": f"/api/runs/{run_id}/approvals/{ids.public('appr', each.id)}",
        }
        for each in approvals
    ]
    return ContentPart(data={"approvals": asked}, media_type="application/json")


def timestamp(moment: datetime) -> str:
    """A moment as A2A writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _status(
    services: Services, principal: Principal, run: Run, reason: str | None
) -> TaskStatus:
    task_id, context_id = ids.public("run", run.id), run.public_conversation_id
    parts: tuple[ContentPart, ...] = ()
    if run.status is RunStatus.WAITING:
        waiting = await services.approvals.waiting(principal, run.id)
        told = "A person must decide on what a tool wants to do."
        parts = (ContentPart(text=told), approval_data(task_id, waiting))
    elif run.status.ended and run.status is not RunStatus.COMPLETED:
        parts = (ContentPart(text=reason or f"It ended early: {run.error_code or run.status}."),)
    return TaskStatus(
        state=_STATES[run.status],
        message=said(task_id, context_id, "status", *parts) if parts else None,
        timestamp=timestamp(run.ended_at or run.started_at or run.created_at),
    )


def _artifact(stored: StoredMessage) -> Artifact:
    citations = (part for part in stored.message.parts if isinstance(part, Citation))
    return answer_artifact(stored.message.text, citations)


def _asked(run: Run, stored: StoredMessage) -> AgentMessage:
    return AgentMessage(
        message_id=ids.public("msg", stored.id),
        role=MessageRole.USER,
        parts=(ContentPart(text=stored.message.text),),
        task_id=ids.public("run", run.id),
        context_id=run.public_conversation_id,
    )


async def _stored(
    services: Services, principal: Principal, run: Run, message: str
) -> StoredMessage | None:
    """A message of a run; None where there is none, or it was deleted."""
    try:
        return await services.messages.get(principal, run.public_conversation_id, message)
    except NotFound:
        return None
