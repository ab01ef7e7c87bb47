"""What a desktop's host is told, and what it answers: one connection is one request.

A request is a frame of JSON. Its answer is a frame of JSON too, after which come the bytes of its
pictures, one after the other. Closing the connection cancels what was asked on it.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from cartrita.domain.desktop import (
    Action,
    Button,
    ControlChange,
    DesktopIsolation,
    DesktopSpec,
    Point,
)
from cartrita.domain.desktop_hands import Impossible
from cartrita.domain.desktop_stillness import Stillness
from cartrita.domain.ids import RunId

SOCKET: Final = "socket"
"""The name of the socket in the folder of a desktop."""
FOLDER_SIGN: Final = "{folder}"
"""Stands in the command of a container's runner for the folder of the desktop."""

MOST_OCTETS: Final = 20 << 20
"""Of a picture: 2560 x 1600 pixels that cannot be told shorter have 16.4 MB."""
_MOST_PIXELS: Final = 8192
_LONGEST_TOLD: Final = 4096


class HostOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is started with; `isolation` has been chosen, whatever `spec` leaves open.

    `user_id` is the number of a user of its own, where one can be taken, as it is in containers.
    `hidden` are directories that its programs must not see wherever they lie.
    """

    folder: str
    spec: DesktopSpec
    isolation: DesktopIsolation
    user_id: int | None = None
    hidden: tuple[str, ...] = ()


class HostReady(msgspec.Struct, frozen=True, tag="ready"):
    """The desktop can be used."""


class HostEnded(msgspec.Struct, frozen=True, tag="ended"):
    """Why it has ended, or could not be started."""

    reason: str


HostLine: TypeAlias = HostReady | HostEnded


class ActRequest(msgspec.Struct, frozen=True, tag="act"):
    """`seen` is the version of the screen that whoever decided on it for the run has seen."""

    action: Action
    seen: int | None = None
    run_id: RunId | None = None


class UnchangedRequest(msgspec.Struct, frozen=True, tag="unchanged"):
    """Whether all that has to is as on the screen of this digest: see `Desktop.is_unchanged`."""

    digest: str
    still: Stillness


class KeepRequest(msgspec.Struct, frozen=True, tag="keep"):
    """Secrets of a run by their names, in place of others."""

    secrets: dict[str, str]
    run_id: RunId | None


class CheckRequest(msgspec.Struct, frozen=True, tag="check"):
    """Whether all of these can be done, on a screen of which this version was `seen`, if any."""

    actions: tuple[Action, ...]
    run_id: RunId | None = None
    seen: int | None = None


class HeldRequest(msgspec.Struct, frozen=True, tag="held"):
    """Which run holds a button down."""


class LetGoRequest(msgspec.Struct, frozen=True, tag="let_go"):
    """Of all that is held, or of what this run holds."""

    run_id: RunId | None = None


class LookRequest(msgspec.Struct, frozen=True, tag="look"):
    pass


class TakeRequest(msgspec.Struct, frozen=True, tag="take"):
    holder: str
    seconds: float


class HandBackRequest(msgspec.Struct, frozen=True, tag="hand_back"):
    holder: str


class ViewRequest(msgspec.Struct, frozen=True, tag="view"):
    """After its answer, the connection carries RFB, in pieces to the viewer.

    A piece of no bytes comes before an answer that says what the viewer did wrong.
    """

    holder: str


class PingRequest(msgspec.Struct, frozen=True, tag="ping"):
    """Whether it does what it is asked."""


class StopRequest(msgspec.Struct, frozen=True, tag="stop"):
    """Its connection is closed when the desktop has ended; it has no answer."""


Request: TypeAlias = (
    ActRequest
    | UnchangedRequest
    | CheckRequest
    | HeldRequest
    | LetGoRequest
    | KeepRequest
    | LookRequest
    | TakeRequest
    | HandBackRequest
    | ViewRequest
    | PingRequest
    | StopRequest
)


class PictureHead(msgspec.Struct, frozen=True):
    """A picture whose bytes follow the answer."""

    octets: Annotated[int, Meta(ge=0, le=MOST_OCTETS)]
    width: Annotated[int, Meta(ge=1, le=_MOST_PIXELS)]
    height: Annotated[int, Meta(ge=1, le=_MOST_PIXELS)]
    pointer: Point


class DoneAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """What came of an action; its pictures are `before`, `after` and `picture`, in this order."""

    before: PictureHead
    after: PictureHead
    seconds: float
    version: int
    held: frozenset[Button]
    digest: Annotated[str, Meta(max_length=64)]
    picture: PictureHead | None = None
    pointer: Point | None = None


class LookAnswer(msgspec.Struct, frozen=True, tag="seen"):
    picture: PictureHead


class UnchangedAnswer(msgspec.Struct, frozen=True, tag="unchanged"):
    unchanged: bool


class CheckedAnswer(msgspec.Struct, frozen=True, tag="checked"):
    refused: Impossible | None


class HeldAnswer(msgspec.Struct, frozen=True, tag="held"):
    run_id: RunId | None


class GrantedAnswer(msgspec.Struct, frozen=True, tag="granted"):
    pass


class ControlAnswer(msgspec.Struct, frozen=True, tag="control"):
    change: ControlChange


class RefusedAnswer(msgspec.Struct, frozen=True, tag="refused"):
    why: Literal["action", "changed", "controlled", "gone", "broken_off", "late", "viewers", "rfb"]
    message: Annotated[str, Meta(max_length=_LONGEST_TOLD)]


Answer: TypeAlias = (
    DoneAnswer
    | LookAnswer
    | UnchangedAnswer
    | CheckedAnswer
    | HeldAnswer
    | ControlAnswer
    | GrantedAnswer
    | RefusedAnswer
)
