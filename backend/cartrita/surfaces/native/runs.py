"""Runs: how they stand, their events, their end, their continuation."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cartrita.domain.errors import Malformed
from cartrita.surfaces.native.dependencies import (
    IdempotencyKey,
    LastEventId,
    Me,
    PublicId,
    UseCases,
    idempotency,
)
from cartrita.surfaces.native.streams import cursor_of, seen_whole, stream
from cartrita.surfaces.native.views import RunView
from cartrita.surfaces.sse import EventStream

router = APIRouter(prefix="/api/runs/{run_id}", tags=["runs"])


@router.get("")
async def get_run(who: Me, run_id: PublicId, services: UseCases) -> RunView:
    """How a run stands."""
    return RunView.of(await services.runs.get(who, run_id))


@router.get("/events", response_class=EventStream, status_code=200)
async def get_run_events(
    who: Me,
    run_id: PublicId,
    services: UseCases,
    after: Annotated[
        int, Query(ge=0, le=999_999_999, description="The last event that was received.")
    ] = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """A run's events as server-sent events: from the first, or from where the reader was cut.

    `Last-Event-ID` counts before `after`, because a browser that reconnects repeats the URL. A
    reader that has seen the end is answered 204.
    """
    run = await services.runs.get(who, run_id)
    if last_event_id:
        cursor = cursor_of(last_event_id)
        if (await services.runs.get(who, cursor.run)).id != run.id:
            raise Malformed("Last-Event-ID belongs to another run: leave it out.")
        after = cursor.seq
    if seen_whole(run, after):
        return Response(status_code=204)
    return stream(services, run.id, after)


@router.post("/cancel")
async def cancel_run(who: Me, run_id: PublicId, services: UseCases) -> RunView:
    """Ask for a run's end. What was seen is kept; asking again changes nothing."""
    return RunView.of(await services.runs.cancel(who, run_id))


@router.post("/continue", status_code=201)
async def continue_run(
    who: Me, run_id: PublicId, services: UseCases, key: IdempotencyKey = None
) -> RunView:
    """Continue an answer that ended early, in a new run: follow its events."""
    promise = idempotency("continue", key, None, run_id)
    admitted = await services.runs.continue_run(who, run_id, promise)
    return RunView.of(await services.runs.get(who, str(admitted.run_id)))
