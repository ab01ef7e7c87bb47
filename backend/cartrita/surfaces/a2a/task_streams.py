"""Streams of tasks: the events of a run's log as results of one JSON-RPC call.

Each item becomes its frame by itself alone, so that every replica writes the same stream, but for
the timestamps of statuses: they tell when they were sent.
"""

from collections.abc import Mapping
from typing import Any, Final

from cartrita.application.runs.approvals import Waiting, is_last
from cartrita.domain.events import (
    ApprovalSettled,
    Event,
    LoggedEvent,
    RunCompleted,
    RunStarted,
    RunStopped,
    StopStatus,
    TaskStarted,
    TextAppended,
)
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, Snapshot
from cartrita.kit import clock, ids, sse
from cartrita.surfaces.a2a.tasks import (
    answer_artifact,
    approval_data,
    begun_task,
    said,
    sources_of,
    timestamp,
)
from cartrita.surfaces.a2a.types import (
    ArtifactUpdate,
    ContentPart,
    SentArtifact,
    SentStatus,
    SentTask,
    StatusUpdate,
    StreamResult,
    TaskState,
    TaskStatus,
)
from cartrita.surfaces.rpc.json_rpc import RpcId, result_bytes
from cartrita.surfaces.run_ends import StreamItem, until_end
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import EventStream

_HEARTBEAT: Final = sse.comment("")


def task_stream(
    services: Services, principal: Principal, run: Run, call_id: RpcId
) -> EventStream[StreamItem]:
    """The stream of a task from its beginning until it ends or waits for a person.

    It is cut when the key of the principal ends. The caller must have checked the run's owner.
    """
    rendering = TaskRendering(run, call_id)
    return EventStream(
        services.connections.holding(principal, until_end(services, principal, run)),
        cursor=None,
        render=rendering.frame,
        is_last=is_last,
    )


class TaskRendering:
    """Writes the items of one task for one call."""

    def __init__(self, run: Run, call_id: RpcId) -> None:
        self._task_id = ids.public("run", run.id)
        self._context_id = run.public_conversation_id
        self._call_id = call_id

    def frame(self, item: StreamItem) -> bytes:
        """The frame of an item; a comment for what A2A does not show."""
        result = self._result(item)
        return _HEARTBEAT if result is None else sse.frame(result_bytes(self._call_id, result))

    def _result(self, item: StreamItem) -> StreamResult | None:
        match item:
            case Run():
                return SentTask(task=begun_task(item))
            case Waiting(approvals):
                told = ContentPart(text="A person must decide on what a tool wants to do.")
                data = approval_data(self._task_id, approvals)
                return self._status(TaskState.INPUT_REQUIRED, "waiting", told, data)
            case Snapshot(messages=messages) if messages:
                return self._answer("\n\n".join(each.text for each in messages), append=False)
            case LoggedEvent():
                return self._logged(item.event, str(item.seq))
            case _:
                return None

    def _logged(self, event: Event, seq: str) -> StreamResult | None:
        match event:
            case TextAppended():
                return self._answer(event.text, append=event.position > 0)
            case RunStarted() | ApprovalSettled():
                return self._status(TaskState.WORKING, seq)
            case TaskStarted():
                told = ContentPart(text=f"{event.agent}: {event.description}")
                return self._status(TaskState.WORKING, seq, told)
            case RunCompleted():
                return self._completed(event, seq)
            case RunStopped():
                cancelled = event.kind is StopStatus.CANCELLED
                state = TaskState.CANCELED if cancelled else TaskState.FAILED
                return self._status(state, seq, ContentPart(text=event.message))
            case _:
                return None

    def _answer(self, text: str, *, append: bool) -> SentArtifact:
        return SentArtifact(
            artifact_update=ArtifactUpdate(
                task_id=self._task_id,
                context_id=self._context_id,
                artifact=answer_artifact(text),
                append=append,
            )
        )

    def _completed(self, event: RunCompleted, seq: str) -> SentStatus:
        told = {
            "agentsUsed": list(event.agents_used),
            "sources": sources_of(event.sources),
            "totalTokens": event.usage.total_tokens,
        }
        return self._status(TaskState.COMPLETED, seq, metadata=told)

    def _status(
        self,
        state: TaskState,
        name: str,
        *parts: ContentPart,
        metadata: Mapping[str, Any] | None = None,
    ) -> SentStatus:
        return SentStatus(
            status_update=StatusUpdate(
                task_id=self._task_id,
                context_id=self._context_id,
                status=TaskStatus(
                    state=state,
                    message=said(self._task_id, self._context_id, name, *parts) if parts else None,
                    timestamp=timestamp(clock.now()),
                ),
                metadata=metadata or {},
            )
        )
