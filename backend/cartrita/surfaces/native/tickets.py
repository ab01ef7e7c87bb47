"""Ticket endpoint: single-use tickets for event streams."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from cartrita.surfaces.dependencies import AppConfig, AppServices, CurrentPrincipal
from cartrita.surfaces.origins import origin_of

router = APIRouter(prefix="/api", tags=["sessions"])


class StreamTicket(BaseModel):
    """Starts one stream: `GET /api/chat/stream?ticket=...`."""

    ticket: str
    expires_in: float = Field(description="Seconds.")


@router.post("/stream-tickets", status_code=201)
async def issue_stream_ticket(
    request: Request, principal: CurrentPrincipal, services: AppServices, config: AppConfig
) -> StreamTicket:
    """Issue a ticket for one `EventSource`, which cannot set headers.

    It works once, from the origin that requested it, and can resume the stream that it started.
    """
    ticket = await services.tickets.issue_stream_ticket(principal, origin_of(request))
    return StreamTicket(ticket=ticket.reveal(), expires_in=config.ticket_s)
