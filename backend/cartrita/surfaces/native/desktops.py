"""Desktop endpoints: start, list, watch, take over, stop, end, and replay."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response

from cartrita.application.desktop.control import holder_of
from cartrita.application.desktop.film_archives import film_archive
from cartrita.application.desktop.films import FRAMES_PAGE
from cartrita.domain.scopes import Operation
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, PublicId, Requires
from cartrita.surfaces.native.desktop_schemas import (
    ControlRequest,
    DesktopRequest,
    DesktopView,
    FilmPage,
    FrameView,
)
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody
from cartrita.surfaces.streamed_files import StreamedFile

router = APIRouter(
    prefix="/api/desktops", tags=["desktops"], dependencies=[Depends(Requires(Operation.DESKTOP))]
)

_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_PNG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The screen.", "content": {"image/png": _BINARY}}
}
_ZIP: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The film.", "content": {"application/zip": _BINARY}}
}
_NOT_KEPT: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@router.post("", status_code=201)
async def create_desktop(
    principal: CurrentPrincipal,
    body: Annotated[DesktopRequest, Depends(JsonBody(DesktopRequest))],
    services: AppServices,
) -> DesktopView:
    """Start a desktop for a conversation, or for a new one. A conversation has one at a time."""
    session = await services.desktops.sessions.create(principal, body.conversation_id)
    return DesktopView.of(session, holder_of(principal))


@router.get("")
async def list_desktops(
    principal: CurrentPrincipal,
    services: AppServices,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[DesktopView]:
    """List your desktops, also those that have ended, the latest first."""
    page = await services.desktops.sessions.list(principal, limit, cursor)
    holder = holder_of(principal)
    items = [DesktopView.of(session, holder) for session in page.items]
    return PageOf(items=items, next_cursor=page.next_cursor)


@router.get("/{desktop_id}")
async def get_desktop(
    principal: CurrentPrincipal, desktop_id: PublicId, services: AppServices
) -> DesktopView:
    """Get a desktop, and who controls it."""
    session = await services.desktops.sessions.get(principal, desktop_id)
    return DesktopView.of(session, holder_of(principal))


@router.delete("/{desktop_id}", status_code=204)
async def end_desktop(
    principal: CurrentPrincipal, desktop_id: PublicId, services: AppServices
) -> Response:
    """End a desktop with all that is open on it, and what agents do there. Its film stays."""
    await services.desktops.tasks.end(principal, desktop_id)
    return Response(status_code=204)


@router.post("/{desktop_id}/stop")
async def stop_desktop(
    principal: CurrentPrincipal, desktop_id: PublicId, services: AppServices
) -> DesktopView:
    """Cancel what agents do on a desktop: no action is begun any more. The desktop stays."""
    session = await services.desktops.tasks.stop(principal, desktop_id)
    return DesktopView.of(session, holder_of(principal))


@router.post("/{desktop_id}/control")
async def control_desktop(
    principal: CurrentPrincipal,
    desktop_id: PublicId,
    body: Annotated[ControlRequest, Depends(JsonBody(ControlRequest))],
    services: AppServices,
) -> DesktopView:
    """Take a desktop over, or hand it back.

    Whoever has it is the only one who uses it: actions of agents are refused, and so is what they
    want to see. An agent that asked for it goes on when it is handed back.
    """
    desktops = services.desktops
    if body.action == "take":
        session = await desktops.leases.take(principal, desktop_id, body.note)
    else:
        session = await desktops.leases.release(principal, desktop_id, body.note)
        await desktops.tasks.go_on(principal, session)
    return DesktopView.of(session, holder_of(principal))


@router.get("/{desktop_id}/screenshot", response_class=Response, responses=_PNG)
async def get_screenshot(
    principal: CurrentPrincipal, desktop_id: PublicId, services: AppServices
) -> Response:
    """Get the screen as it is now."""
    shot = await services.desktops.leases.screen(principal, desktop_id)
    return Response(shot.png, media_type="image/png", headers=_NOT_KEPT)


@router.get("/{desktop_id}/frames")
async def list_frames(
    principal: CurrentPrincipal,
    desktop_id: PublicId,
    services: AppServices,
    after: Annotated[
        int, Query(ge=0, le=999_999_999, description="The last frame that was received.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=FRAMES_PAGE)] = FRAMES_PAGE,
) -> FilmPage:
    """List what was done on a desktop, in its order."""
    frames = await services.desktops.films.page(principal, desktop_id, after, limit)
    last = frames[-1].number if len(frames) == limit else None
    return FilmPage(items=[FrameView.of(frame) for frame in frames], next_after=last)


@router.get("/{desktop_id}/film", response_class=Response, responses=_ZIP)
async def get_film(
    principal: CurrentPrincipal, desktop_id: PublicId, services: AppServices
) -> Response:
    """Get the film of a desktop as a ZIP file: `film.jsonl`, and the pictures that it names."""
    films = services.desktops.films
    session = await services.desktops.sessions.get(principal, desktop_id)
    disposition = f'attachment; filename="{session.public_id}.zip"'
    return StreamedFile(
        film_archive(films, principal, session),
        media_type="application/zip",
        headers={**_NOT_KEPT, "Content-Disposition": disposition},
    )
