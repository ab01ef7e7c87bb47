"""Stored responses: read, streamed again, cancelled, deleted, and what they answered."""

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request, Response
from starlette.types import Receive, Scope, Send

from cartrita.dialects.openai_responses.response_objects import Ending
from cartrita.dialects.openai_responses.response_rendering import input_items, render_state
from cartrita.domain.deltas import size_of
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, RunStatus
from cartrita.kit import ids
from cartrita.kit.long_work import run_long
from cartrita.surfaces.answer_room import require_room
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal, PublicId
from cartrita.surfaces.openai.conversation_schemas import (
    DeletedObject,
    ItemList,
    response_schema,
)
from cartrita.surfaces.openai.item_pages import (
    After,
    Include,
    IncludeInBrackets,
    Limit,
    Order,
    item_page,
    owned,
)
from cartrita.surfaces.openai.references import find_response
from cartrita.surfaces.openai.response_format import ResponseFormat
from cartrita.surfaces.openai.response_heads import head_of
from cartrita.surfaces.openai.response_parts import open_part
from cartrita.surfaces.services import Services
from cartrita.surfaces.v1.run_answers import Tail, collect_deltas, send_run_stream
from cartrita.surfaces.v1.run_errors import error_of

router = APIRouter(prefix="/v1/responses", tags=["openai"], dependencies=STORED)

_INPUT_MAX = 1000
_RESPONSE = response_schema("A `response`, as at OpenAI, as it is now.")
_STREAM = response_schema("The same, or with `stream=true` its events.", streams=True)
_CANCEL_WAIT_S = 2.0
"""A run that has not ended by then, as its replica died, is answered as `in_progress`."""


class ResponseStream(Response):
    """The stream of a stored response, which begins at once: its errors are events."""

    media_type = "text/event-stream"

    def __init__(self, tail: Tail, form: ResponseFormat) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({})
        self._tail = tail
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_run_stream(self._tail, self._form, receive, send, at_once=True)


@router.get("/{response_id}", response_model=None, responses=_STREAM)
async def get_response(
    request: Request,
    principal: CurrentPrincipal,
    response_id: PublicId,
    services: AppServices,
    stream: bool = False,
    starting_after: Annotated[
        int, Query(ge=-1, le=999_999_999, description="The last event that was received.")
    ] = -1,
) -> Response:
    """Get a stored response, or stream its events again.

    `stream=true` sends the same events as when it was made, after `starting_after`.
    """
    run = await find_response(services, principal, response_id)
    if stream:
        require_room(request, principal)
        tail = open_part(services, principal, run.id, streamed=True)
        return ResponseStream(tail, ResponseFormat(lambda: head_of(run), starting_after))
    return _json(await _state(services, principal, run))


@router.post("/{response_id}/cancel", response_model=None, responses=_RESPONSE)
async def cancel_response(
    principal: CurrentPrincipal, response_id: PublicId, services: AppServices
) -> Response:
    """Cancel a response that is being made. What it said is kept. Idempotent.

    The writer of the run, on whatever replica, ends it within a moment; the answer waits for that,
    so that it says `cancelled` as the vendor's does.
    """
    found = ids.public("run", (await find_response(services, principal, response_id)).id)
    run = await services.runs.cancel(principal, found)
    if not run.status.ended:
        with anyio.move_on_after(_CANCEL_WAIT_S):
            await services.runs.wait_for_end(run.id)
        run = await services.runs.get(principal, found)
    return _json(await _state(services, principal, run))


@router.delete("/{response_id}")
async def delete_response(
    principal: CurrentPrincipal, response_id: PublicId, services: AppServices
) -> DeletedObject:
    """Delete a response, and its messages where nothing else depends on them."""
    run = await find_response(services, principal, response_id)
    await services.model_runs.delete(principal, ids.public("run", run.id))
    return DeletedObject(id=response_id, object="response", deleted=True)


@router.get("/{response_id}/input_items")
async def list_response_input_items(
    principal: CurrentPrincipal,
    response_id: PublicId,
    services: AppServices,
    limit: Limit = 20,
    order: Order = "desc",
    after: After = None,
    include: Include = None,
    include_in_brackets: IncludeInBrackets = None,
) -> ItemList:
    """List the items that a response answers, the latest first unless `order` is `asc`."""
    run = ids.public("run", (await find_response(services, principal, response_id)).id)
    stored = await services.model_runs.input_messages(principal, run, _INPUT_MAX)
    shown = (*(include or ()), *(include_in_brackets or ()))
    items = input_items(map(owned, reversed(stored)), include=shown)
    return item_page(items, limit, order, after)


async def _state(services: Services, principal: Principal, run: Run) -> bytes:
    """The response object of a run as it is now."""
    head = head_of(run)
    if run.status is RunStatus.WAITING:
        form = ResponseFormat(lambda: head)
        deltas = await collect_deltas(open_part(services, principal, run.id), form)
        return await run_long(size_of(deltas), form.whole, deltas)
    if not run.status.ended:
        return render_state(head, "queued" if run.status is RunStatus.QUEUED else "in_progress")
    if run.status is RunStatus.COMPLETED:
        form = ResponseFormat(lambda: head)
        deltas = await collect_deltas(services.runs.tail(run.id, 0), form)
        return await run_long(size_of(deltas), form.whole, deltas)
    end = await services.runs.wait_for_end(run.id)
    error = _error_of(end)
    parts = await _parts(services, principal, run)
    status = "cancelled" if run.status is RunStatus.CANCELLED else "failed"
    return render_state(head, status, parts, Ending(usage=run.usage, error=error))


def _error_of(end: LoggedEvent) -> CartritaError | None:
    if isinstance(end.event, RunStopped) and end.event.kind is not StopStatus.CANCELLED:
        return error_of(end.event)
    return None


async def _parts(services: Services, principal: Principal, run: Run) -> tuple[Any, ...]:
    """The parts of the message of a run; none if it ended before it said anything."""
    conversation = ids.public("conv", run.conversation_id)
    message = ids.public("msg", run.message_id)
    try:
        return (await services.messages.get(principal, conversation, message)).message.parts
    except CartritaError:
        return ()


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
