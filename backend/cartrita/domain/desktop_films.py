"""Films of desktops: what was done on each, how it looked, and what a person is shown of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    DesktopId,
    Drag,
    Move,
    Point,
    Press,
    Release,
    Scroll,
    Zoom,
)
from cartrita.domain.files import FileId
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject

SCREENSHOT: Final = "screenshot"
"""The purpose of files that are pictures of a desktop."""

UNSETTLED: Final = "It broke off, and may be done: what came of it is not known."
"""The error of a frame from when its action begins until it is known what came of it."""

NOT_FILMED: Final = "It was done, but there are no pictures of it: they could not be stored."
"""The error of a frame whose action was done."""

PressedPlace: TypeAlias = Point | None
"""None is where the pointer is."""

FrameActor: TypeAlias = Literal["agent", "person"]


class Marker(msgspec.Struct, frozen=True):
    """Where on the screen an action is done; `index` is its place in the call, from 1."""

    index: int
    action: str
    points: tuple[Point, ...]


class Shown(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a person sees of a call that is to be decided: the screen, and where it would act.

    `file_id` is the public id of the picture. If the agent had seen it, `version` is that of the
    screen, and `digest` is by what the desktop knows it. What is approved counts for this desktop,
    this screen and this version only.
    """

    desktop_id: DesktopId
    file_id: str
    digest: str = ""
    markers: tuple[Marker, ...] = ()
    version: int | None = None


class NewFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One action as it is filmed: without the text of secrets.

    `before` and `after` are pictures of the whole screen; `error` is why it was not done, not to
    its end, or not filmed.
    """

    actor: FrameActor
    action: JsonObject
    duration_ms: float
    run_id: RunId | None = None
    call_id: str | None = None
    marker: Marker | None = None
    before: FileId | None = None
    after: FileId | None = None
    approved_by: str | None = None
    error: str | None = None


class FilmFrame(NewFrame, frozen=True, kw_only=True):
    """A stored frame; `number` is its place in the film, from 1."""

    desktop_id: DesktopId
    number: int
    at: datetime


def marker_of(index: int, action: Action) -> Marker | None:
    """Where an action is done; None for one that is nowhere, or where the pointer is."""
    points = _points(action)
    return Marker(index, name_of(action), points) if points else None


def markers_of(actions: Sequence[Action]) -> tuple[Marker, ...]:
    """Those of all actions of a call that have a place."""
    found = (marker_of(index, action) for index, action in enumerate(actions, 1))
    return tuple(one for one in found if one is not None)


def pressed_places(actions: Sequence[Action]) -> tuple[PressedPlace, ...]:
    """The places at which actions press a button, or let go of one, in their order."""
    pointer: PressedPlace = None
    places: list[PressedPlace] = []
    for action in actions:
        points = _points(action)
        if not isinstance(action, Zoom):
            pointer = points[-1] if points else pointer
        if isinstance(action, Click | Drag | Press | Release):
            places.extend(points or (pointer,))
    return tuple(places)


def name_of(action: Action) -> str:
    """The name by which callers and models know an action."""
    return str(action.__struct_config__.tag)


def _points(action: Action) -> tuple[Point, ...]:
    match action:
        case Move(at=Point() as point) | Click(at=Point() as point) | Scroll(at=Point() as point):
            return (point,)
        case Drag(path=path):
            return path
        case Zoom(area=Area(left=left, top=top, right=right, bottom=bottom)):
            return (Point(left, top), Point(right, bottom))
        case _:
            return ()
