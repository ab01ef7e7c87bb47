"""Desktops: what is done on a screen, what is seen of it, and who may do it."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, NewType, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from cartrita.domain.ids import ConversationId, public_conversation_id
from cartrita.kit import ids

DesktopId = NewType("DesktopId", UUID)

ID_PREFIX: Final = "desktop"
LONGEST_TYPED: Final = 10_000
"""In characters: so much text is typed by one action at most."""
MOST_ACTIONS: Final = 64
"""So many actions are in one call at most."""

HAND_OVER: Final = "ask_for_hand_over"
"""The name of the tool by which an agent asks a person to take a desktop over."""

_SECRET: Final = re.compile(r"\{\{secret:([A-Za-z0-9_.-]{1,64})\}\}")

Button: TypeAlias = Literal["left", "middle", "right", "back", "forward"]
Keys: TypeAlias = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=8)]
"""Keys that are held together, by their names: ("ctrl", "s"). Letter case counts in none."""


class _Exact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is refused with a field that it has not: a place that is spelt otherwise is no click at
    the pointer.
    """


class Point(_Exact, frozen=True):
    """A place on the screen, in pixels from its upper left corner."""

    x: int
    y: int


class Area(_Exact, frozen=True):
    """A part of the screen; `right` and `bottom` are the first pixels that are not in it."""

    left: int
    top: int
    right: int
    bottom: int


class Screenshot(_Exact, frozen=True, tag="screenshot"):
    """Look at the whole screen."""


class Zoom(_Exact, frozen=True, tag="zoom"):
    """Look at a part of the screen, enlarged. Places are told in those of the whole screen."""

    area: Area


class CursorPosition(_Exact, frozen=True, tag="cursor_position"):
    """Ask where the pointer is."""


class Move(_Exact, frozen=True, tag="move"):
    """Move the pointer."""

    at: Point


class Click(_Exact, frozen=True, omit_defaults=True, tag="click"):
    """Click so many `times`, at the pointer if no place is told, while `keys` are held."""

    at: Point | None = None
    button: Button = "left"
    times: Annotated[int, Meta(ge=1, le=3)] = 1
    keys: Keys = ()


class Press(_Exact, frozen=True, omit_defaults=True, tag="press"):
    """Press a button of the pointer, and keep it down."""

    button: Button = "left"


class Release(_Exact, frozen=True, omit_defaults=True, tag="release"):
    """Let a button of the pointer go."""

    button: Button = "left"


class Drag(_Exact, frozen=True, omit_defaults=True, tag="drag"):
    """Press the left button at the first place, move through the others, and let it go."""

    path: Annotated[tuple[Point, ...], Meta(min_length=2, max_length=256)]
    keys: Keys = ()


class Scroll(_Exact, frozen=True, omit_defaults=True, tag="scroll"):
    """Turn the wheel by notches: down and right are positive."""

    down: Annotated[int, Meta(ge=-100, le=100)] = 0
    right: Annotated[int, Meta(ge=-100, le=100)] = 0
    at: Point | None = None
    keys: Keys = ()


class Type(_Exact, frozen=True, omit_defaults=True, tag="type"):
    """Type a text, or the secret of this name that the caller gave."""

    text: Annotated[str, Meta(max_length=LONGEST_TYPED)] = ""
    secret: Annotated[str, Meta(max_length=64)] | None = None


def typed(text: str) -> tuple[Type, ...]:
    """What a text types in which a model wrote `{{secret:NAME}}` for the secret of this name."""
    pieces = _SECRET.split(text)
    actions = [Type(secret=each) if at % 2 else Type(each) for at, each in enumerate(pieces)]
    return tuple(one for one in actions if one.secret or one.text) or (Type(""),)


def written(action: Type) -> str:
    """The text in which a model types this: the inverse of `typed`."""
    return action.text if action.secret is None else f"{{{{secret:{action.secret}}}}}"


class Key(_Exact, frozen=True, omit_defaults=True, tag="key"):
    """Press keys together and let them go, so many `times`."""

    keys: Keys
    times: Annotated[int, Meta(ge=1, le=100)] = 1


class HoldKey(_Exact, frozen=True, tag="hold_key"):
    """Keep keys down for so many seconds."""

    keys: Keys
    seconds: Annotated[float, Meta(ge=0, le=300)]


class Wait(_Exact, frozen=True, omit_defaults=True, tag="wait"):
    """Do nothing for so many seconds."""

    seconds: Annotated[float, Meta(ge=0, le=300)] = 1.0


Action: TypeAlias = (
    Screenshot
    | Zoom
    | CursorPosition
    | Move
    | Click
    | Press
    | Release
    | Drag
    | Scroll
    | Type
    | Key
    | HoldKey
    | Wait
)


LOOKS: Final = (Screenshot, Zoom, CursorPosition, Wait)
"""Actions that change nothing."""


class SafetyCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the vendor of a model wants a person to look at before an action."""

    id: str
    code: str | None = None
    message: str | None = None


class ComputerCall(_Exact, frozen=True, omit_defaults=True):
    """What a model wants done on a desktop, in order: the arguments of the tool `computer`."""

    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=MOST_ACTIONS)]
    checks: tuple[SafetyCheck, ...] = ()


class Shot(msgspec.Struct, frozen=True):
    """The screen, or a part of it, as a PNG; `pointer` is a place on the screen."""

    png: bytes
    width: int
    height: int
    pointer: Point


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one action.

    `picture` is what it asked to see. `before` and `after` are the whole screen around it, and
    `after` when nothing moved on it any more, or the time for that was over. `version` is that of
    the screen afterwards: another each time that an agent begins something on it, or a person takes
    it over. `held` are the buttons that are down then. `digest` is by what the desktop knows the
    screen of `after`, and what had its focus.
    """

    before: Shot
    after: Shot
    seconds: float
    picture: Shot | None = None
    pointer: Point | None = None
    version: int = 0
    held: frozenset[Button] = frozenset()
    digest: str = ""


class DesktopIsolation(StrEnum):
    """What keeps a desktop from the machine; `plain` is a process of the same user with limits."""

    BUBBLEWRAP = "bubblewrap"
    CONTAINER = "container"
    PLAIN = "plain"


class DesktopStatus(StrEnum):
    """What became of a desktop."""

    STARTING = "starting"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """The lease of the person who uses a desktop: nobody else does until `expires_at`."""

    holder: str
    expires_at: datetime


class ControlChange(msgspec.Struct, frozen=True):
    """What came of asking for the control of a desktop, or of handing it back.

    Of two, the one with the larger number came later; `changed` tells whether somebody else, or
    nobody, has it now.
    """

    number: int
    changed: bool


class DesktopSession(msgspec.Struct, frozen=True, kw_only=True):
    """A desktop of an owner, that of one conversation.

    `machine` is where it runs; it ends when nobody has used it for `idle_s`. `reason` says why it
    ended. Without `control` agents may use it.
    `external_id` is the one of its conversation.
    """

    id: DesktopId
    owner_id: str
    conversation_id: ConversationId
    status: DesktopStatus
    machine: str
    width: int
    height: int
    isolation: DesktopIsolation
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    idle_s: float
    control: Control | None = None
    reason: str | None = None
    external_id: str | None = None

    @property
    def public_id(self) -> str:
        """The id by which callers know it."""
        return ids.public(ID_PREFIX, self.id)

    @property
    def public_conversation_id(self) -> str:
        """The id by which callers know its conversation."""
        return public_conversation_id(self.conversation_id, self.external_id)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.status in (DesktopStatus.STARTING, DesktopStatus.READY)


class DesktopSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a desktop is to be: its screen, the programs of its menu, and its bounds.

    After `lifetime_s` it ends itself, whoever has forgotten it.
    """

    width: int
    height: int
    apps: dict[str, tuple[str, ...]]
    isolation: DesktopIsolation | None
    network: bool
    memory_bytes: int
    processes: int
    settle_s: float
    start_timeout_s: float
    action_timeout_s: float
    lifetime_s: float | None = None
