"""Run endpoints: status, events, cancel, continue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from cartrita.domain.errors import Malformed
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, RunStatus
from cartrita.surfaces.dependencies import (
    ANSWERED,
    ASKED,
    STORED,
    AppServices,
    CurrentPrincipal,
    IdempotencyKey,
    LastEventId,
    PublicId,
)
from cartrita.surfaces.idempotency import idempotency
from cartrita.surfaces.log_keys import bind_run
from cartrita.surfaces.native.approval_schemas import DecisionRequest
from cartrita.surfaces.native.cursors import parse_cursor
from cartrita.surfaces.native.request_bodies import JsonBody
from cartrita.surfaces.native.schemas import RunView
from cartrita.surfaces.native.streams import is_at_end, stream
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import EventStream

router = APIRouter(prefix="/api/runs/{run_id}", tags=["runs"], dependencies=ASKED)
conversation_router = APIRouter(
    prefix="/api/conversations/{conversation_id}/runs", tags=["runs"], dependencies=STORED
)


class RunList(BaseModel):
    """Runs of one conversation."""

    items: list[RunView]
    total: int


@conversation_router.get("")
async def list_unfinished_runs(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> RunList:
    """The runs of a conversation that have not ended, the one that answers first.

    So a page that was opened anew finds what it should go on reading.
    """
    runs = await services.conversations.unfinished_runs(principal, conversation_id)
    views = [await _view(services, principal, run) for run in runs]
    return RunList(items=views, total=len(views))


@router.get("")
async def get_run(principal: CurrentPrincipal, run_id: PublicId, services: AppServices) -> RunView:
    """Get the status of a run."""
    return await _view(services, principal, await services.runs.get(principal, run_id))


@router.get("/events", response_class=EventStream, status_code=200, dependencies=ANSWERED)
async def get_run_events(
    principal: CurrentPrincipal,
    run_id: PublicId,
    services: AppServices,
    after: Annotated[
        int, Query(ge=0, le=999_999_999, description="The last event that was received.")
    ] = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """Stream a run's events as server-sent events, from the first or after the last received one.

    `Last-Event-ID` takes precedence over `after`, because a browser that reconnects repeats the
    URL. Responds 204 if the reader has received the last event.
    """
    run = await services.runs.get(principal, run_id)
    if last_event_id:
        cursor = parse_cursor(last_event_id)
        if (await services.runs.get(principal, cursor.run)).id != run.id:
            raise Malformed("Last-Event-ID belongs to another run: leave it out.")
        after = cursor.seq
    if is_at_end(run, after):
        return Response(status_code=204)
    return stream(services, principal, run.id, after)


@router.post("/cancel")
async def cancel_run(
    principal: CurrentPrincipal, run_id: PublicId, services: AppServices
) -> RunView:
    """Cancel a run. The partial answer is kept. Idempotent."""
    return await _view(services, principal, await services.runs.cancel(principal, run_id))


@router.post("/continue", status_code=201)
async def continue_run(
    principal: CurrentPrincipal, run_id: PublicId, services: AppServices, key: IdempotencyKey = None
) -> RunView:
    """Continue an answer that ended early, in a new run."""
    idempotent = idempotency("continue", key, None, run_id)
    admitted = await services.runs.continue_run(principal, run_id, idempotent)
    bind_run(admitted.run_id)
    return await _view(
        services, principal, await services.runs.get(principal, str(admitted.run_id))
    )


@router.post("/approvals/{approval_id}")
async def decide_on_approval(
    principal: CurrentPrincipal,
    run_id: PublicId,
    approval_id: PublicId,
    body: Annotated[DecisionRequest, Depends(JsonBody(DecisionRequest))],
    services: AppServices,
) -> RunView:
    """Decide on what a tool wants to do; with the last decision the run goes on.

    `arguments_hash` is that of `approval_required`: the decision counts for these arguments only.
    The same decision may be sent again.
    """
    decided = await services.approvals.decide(
        principal, run_id, approval_id, body.outcome, body.arguments_hash
    )
    return await _view(services, principal, decided)


async def _view(services: Services, principal: Principal, run: Run) -> RunView:
    waits = run.status is RunStatus.WAITING
    approvals = await services.approvals.waiting(principal, run.id) if waits else ()
    return RunView.of(run, approvals, services.trace_url(run.id) if principal.operator else None)
