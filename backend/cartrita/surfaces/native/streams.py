"""Event streams of runs: where a reader stands, and the answer that carries it on."""

from typing import TypeAlias

import msgspec
from fastapi import Response

from cartrita.domain.errors import Malformed
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit.ids import RunId
from cartrita.surfaces.native.frames import Told, ends, event_id, frame
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import EventStream

RunStream: TypeAlias = EventStream[Told]


class Cursor(msgspec.Struct, frozen=True):
    """A place in a run's log: `seq` is the last event that was received."""

    run: str
    seq: int


def cursor_of(text: str) -> Cursor:
    """The cursor in an event's id. Raises Malformed."""
    run, _, seq = text.rpartition(".")
    if not run or not seq.isascii() or not seq.isdecimal() or len(seq) > 9:
        raise Malformed(
            "Last-Event-ID is not an id of our events, such as run_0193b0c3a5d8.7: "
            "leave it out to begin anew."
        )
    return Cursor(run, int(seq))


def stream(services: Services, run_id: RunId, after: int = 0) -> RunStream:
    """Everything after a sequence number, then live. The caller has made sure whose run it is."""
    return EventStream(
        services.runs.tail(run_id, after),
        cursor=event_id(run_id, after),
        frame=frame,
        last=ends,
    )


async def carry_on(services: Services, principal: Principal, cursor: Cursor) -> Response:
    """Continue where a reader was cut.

    Whoever has seen the end is told so by 204, which stops an EventSource.
    """
    run = await services.runs.get(principal, cursor.run)
    if seen_whole(run, cursor.seq):
        return Response(status_code=204)
    return stream(services, run.id, cursor.seq)


def seen_whole(run: Run, seq: int) -> bool:
    """Whether `seq` is the run's last event."""
    return run.status.ended and run.last_seq == seq
