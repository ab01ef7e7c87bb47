"""Schemas of desktops: their sessions, who controls them, and their films."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from cartrita.domain.desktop import DesktopIsolation, DesktopSession, DesktopStatus
from cartrita.domain.desktop_films import FilmFrame
from cartrita.domain.files import ID_PREFIX, FileId
from cartrita.kit import ids
from cartrita.surfaces.native.chat_requests import Id
from cartrita.surfaces.native.request_bodies import RequestModel
from cartrita.surfaces.native.screen_schemas import ActionMarker, picture_url


class DesktopRequest(RequestModel):
    """A desktop that is to be started."""

    conversation_id: Annotated[
        Id, Field(description="The conversation that it is of; without it a new one.")
    ] = None


class ControlRequest(RequestModel):
    """Who is to use a desktop."""

    action: Annotated[
        Literal["take", "release"],
        Field(description="`take` again before the lease is over keeps it."),
    ]
    note: Annotated[str | None, Field(max_length=1000, description="What the film says of it.")] = (
        None
    )


class ControlView(BaseModel):
    """A person uses the desktop, and nothing that agents want is done."""

    mine: bool = Field(description="Whether it is the caller.")
    expires_at: datetime


class DesktopView(BaseModel):
    """A desktop, as it is or was."""

    id: str
    conversation_id: str
    status: DesktopStatus
    width: int
    height: int
    isolation: DesktopIsolation = Field(description="What keeps it from the machine.")
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    control: ControlView | None = Field(description="Without it agents use the desktop.")
    reason: str | None = Field(description="Why it ended.")
    live_url: str | None = Field(description="The socket on which it is seen; null once it ended.")

    @classmethod
    def of(cls, session: DesktopSession, holder: str) -> "DesktopView":
        control = session.control
        return cls(
            id=session.public_id,
            conversation_id=session.public_conversation_id,
            status=session.status,
            width=session.width,
            height=session.height,
            isolation=session.isolation,
            created_at=session.created_at,
            used_at=session.used_at,
            expires_at=session.expires_at,
            control=None
            if control is None
            else ControlView(mine=control.holder == holder, expires_at=control.expires_at),
            reason=session.reason,
            live_url=live_url(session) if session.alive else None,
        )


class FrameView(BaseModel):
    """One action of a film, or a change of who controls the desktop."""

    index: int = Field(description="From 1.")
    at: datetime
    actor: Literal["agent", "person"]
    run_id: str | None
    call_id: str | None
    action: dict[str, Any] = Field(description="Without the text of secrets.")
    marker: ActionMarker | None = Field(description="Where on the screen it was done.")
    before_url: str | None = Field(description="The screen before it.")
    after_url: str | None = Field(description="The screen after it.")
    duration_ms: float
    approved_by: str | None = Field(description="The key with which a person approved of it.")
    error: str | None = Field(description="Why it was not done, or not to its end.")

    @classmethod
    def of(cls, frame: FilmFrame) -> "FrameView":
        return cls(
            index=frame.number,
            at=frame.at,
            actor=frame.actor,
            run_id=None if frame.run_id is None else ids.public("run", frame.run_id),
            call_id=frame.call_id,
            action=frame.action,
            marker=None if frame.marker is None else ActionMarker.of(frame.marker),
            before_url=_url(frame.before),
            after_url=_url(frame.after),
            duration_ms=frame.duration_ms,
            approved_by=frame.approved_by,
            error=frame.error,
        )


class FilmPage(BaseModel):
    """Frames of a film, in their order; `next_after` asks for those that follow."""

    items: list[FrameView]
    next_after: int | None


def live_url(session: DesktopSession) -> str:
    """The socket on which a desktop is seen."""
    return f"/ws/desktop/{session.public_id}"


def _url(file_id: FileId | None) -> str | None:
    return None if file_id is None else picture_url(ids.public(ID_PREFIX, file_id))
