"""Streams of calls of agents: what is done meanwhile as progress, then the result."""

from typing import Final

from cartrita.application.runs.approvals import is_last
from cartrita.domain.events import Event, LoggedEvent, TaskStarted, ToolCalled
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit import sse
from cartrita.surfaces.mcp.agent_tools import answer_of
from cartrita.surfaces.rpc.json_rpc import RpcId, notification_bytes, result_bytes
from cartrita.surfaces.run_ends import StreamItem, until_end
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import EventStream

_HEARTBEAT: Final = sse.comment("")


def call_stream(
    services: Services, principal: Principal, run: Run, call_id: RpcId, progress: str | int | None
) -> EventStream[StreamItem]:
    """The stream of a call; `progress` is the token of a caller that wants to be told of it.

    It is cut when the key of the principal ends. The caller must have checked the run's owner.
    """
    rendering = CallRendering(run, call_id, progress)
    return EventStream(
        services.connections.holding(principal, until_end(services, principal, run)),
        cursor=None,
        render=rendering.frame,
        is_last=is_last,
    )


class CallRendering:
    """Writes the items of one run for one call."""

    def __init__(self, run: Run, call_id: RpcId, progress: str | int | None) -> None:
        self._run = run
        self._call_id = call_id
        self._progress = progress

    def frame(self, item: StreamItem) -> bytes:
        """The frame of an item; a comment for what MCP does not show."""
        match item:
            case end if is_last(end):
                return sse.frame(result_bytes(self._call_id, answer_of(self._run, end)))
            case LoggedEvent():
                return self._told(item.seq, _doing(item.event))
            case _:
                return _HEARTBEAT

    def _told(self, seq: int, doing: str | None) -> bytes:
        if self._progress is None or doing is None:
            return _HEARTBEAT
        params = {"progressToken": self._progress, "progress": seq, "message": doing}
        return sse.frame(notification_bytes("notifications/progress", params))


def _doing(event: Event) -> str | None:
    """What an event says is being done."""
    match event:
        case TaskStarted():
            return f"{event.agent}: {event.description}"
        case ToolCalled():
            return event.name
        case _:
            return None
