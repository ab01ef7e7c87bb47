"""Event streams of runs, and the cursors that resume them."""

from typing import TypeAlias

import msgspec
from fastapi import Response

from cartrita.domain.errors import Malformed
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit.ids import RunId
from cartrita.surfaces.native.frames import StreamItem, event_id, frame, is_terminal
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import EventStream

RunStream: TypeAlias = EventStream[StreamItem]


class Cursor(msgspec.Struct, frozen=True):
    """A position in a run's log: `seq` is the last event that the reader has received."""

    run: str
    seq: int


def parse_cursor(text: str) -> Cursor:
    """The cursor in an event id. Raises Malformed."""
    run, _, seq = text.rpartition(".")
    if not run or not seq.isascii() or not seq.isdecimal() or len(seq) > 9:
        raise Malformed(
            "Last-Event-ID is not an id of our events, such as run_0193b0c3a5d8.7: "
            "leave it out to begin anew."
        )
    return Cursor(run, int(seq))


def stream(services: Services, run_id: RunId, after: int = 0) -> RunStream:
    """Stream the events after `after`, then live. The caller must have checked the run's owner."""
    return EventStream(
        services.runs.tail(run_id, after),
        cursor=event_id(run_id, after),
        render=frame,
        is_last=is_terminal,
    )


async def resume_stream(services: Services, principal: Principal, cursor: Cursor) -> Response:
    """Resume a stream after a cursor.

    Responds 204, which stops an EventSource, if the reader has received the last event.
    """
    run = await services.runs.get(principal, cursor.run)
    if is_at_end(run, cursor.seq):
        return Response(status_code=204)
    return stream(services, run.id, cursor.seq)


def is_at_end(run: Run, seq: int) -> bool:
    """Whether `seq` is the last event of an ended run."""
    return run.status.ended and run.last_seq == seq
