"""Schemas of what is seen of a desktop: the picture, and where on it actions are."""

from dataclasses import dataclass

from cartrita.domain.desktop_films import Marker, Shown


@dataclass(frozen=True, slots=True)
class ScreenPoint:
    """A place on the screen, in pixels from its upper left corner."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class ActionMarker:
    """Where an action is done; `index` is its place in the call, from 1."""

    index: int
    action: str
    points: list[ScreenPoint]

    @classmethod
    def of(cls, marker: Marker) -> "ActionMarker":
        points = [ScreenPoint(point.x, point.y) for point in marker.points]
        return cls(marker.index, marker.action, points)

    @classmethod
    def all_of(cls, shown: Shown | None) -> "list[ActionMarker]":
        """Those of what a person is shown."""
        return [] if shown is None else [cls.of(marker) for marker in shown.markers]


def image_url(shown: Shown | None) -> str | None:
    """Where the picture is that a person is shown."""
    return None if shown is None else picture_url(shown.file_id)


def picture_url(file_id: str) -> str:
    """Where a picture is, by the public id of its file."""
    return f"/api/files/{file_id}/image"
