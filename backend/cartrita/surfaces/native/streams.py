"""Event streams of runs, from their start or resumed after a cursor."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from fastapi import Response

from cartrita.domain.ids import RunId
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, TailItem
from cartrita.domain.scopes import Operation
from cartrita.surfaces.log_keys import bind_run
from cartrita.surfaces.native.cursors import Cursor, event_id
from cartrita.surfaces.native.event_rendering import is_terminal
from cartrita.surfaces.native.sse_frames import frame
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import EventStream

RunStream: TypeAlias = EventStream[TailItem | None]


def stream(services: Services, principal: Principal, run_id: RunId, after: int = 0) -> RunStream:
    """Stream the events after `after`, then live. The caller must have checked the run's owner.

    It is cut when the key of the principal ends; a reader that comes back is then refused.
    """
    return stream_tail(services, principal, run_id, services.runs.tail(run_id, after), after)


def stream_tail(
    services: Services,
    principal: Principal,
    run_id: RunId,
    tail: AbstractAsyncContextManager[AsyncIterator[TailItem | None]],
    after: int = 0,
) -> RunStream:
    """Stream a tail of a run that begins after `after`, as `stream` does."""
    bind_run(run_id)
    return EventStream(
        services.connections.holding(principal, tail),
        cursor=event_id(run_id, after),
        render=frame,
        is_last=is_terminal,
    )


async def resume_stream(services: Services, principal: Principal, cursor: Cursor) -> Response:
    """Resume a stream after a cursor.

    Responds 204, which stops an EventSource, if the reader has received the last event.
    """
    principal.scopes.require_operation(Operation.CHAT)
    run = await services.runs.get(principal, cursor.run)
    if is_at_end(run, cursor.seq):
        return Response(status_code=204)
    return stream(services, principal, run.id, cursor.seq)


def is_at_end(run: Run, seq: int) -> bool:
    """Whether `seq` is the last event of an ended run."""
    return run.status.ended and run.last_seq == seq
