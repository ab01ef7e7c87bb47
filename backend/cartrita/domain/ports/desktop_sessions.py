"""Ports of desktops as they are stored: their sessions, who controls them, and their films."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec

from cartrita.domain.desktop import DesktopId, DesktopSession, DesktopStatus
from cartrita.domain.desktop_films import FilmFrame, NewFrame
from cartrita.domain.ids import ConversationId, RunId
from cartrita.kit.pagination import Page


class DesktopLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many desktops may run at once on one machine, and for one owner."""

    machine: int
    owner: int


class DueDesktop(msgspec.Struct, frozen=True):
    """One that is to be ended, and why."""

    session: DesktopSession
    reason: str


class WatchedDesktop(msgspec.Struct, frozen=True):
    """One that should run, and how long ago it was begun, by the clock of the database."""

    session: DesktopSession
    age: timedelta


class DesktopStore(Protocol):
    """Rows of desktops."""

    async def begin(self, session: DesktopSession, limits: DesktopLimits) -> None:
        """Add one that is being started, now by the clock of the database, for as long as it says.

        Raises RateLimited, NotFound where there is no such conversation, and Conflict where it has
        one that runs.
        """
        ...

    async def get(self, owner_id: str, desktop_id: DesktopId) -> DesktopSession | None: ...

    async def latest(self, conversation_id: ConversationId) -> DesktopSession | None:
        """The last one of a conversation, which alone can be one that starts or runs."""
        ...

    async def list(self, owner_id: str, limit: int, cursor: str | None) -> Page[DesktopSession]:
        """The latest first. Raises InvalidInput."""
        ...

    async def alive(self, desktop_ids: Sequence[DesktopId]) -> Collection[DesktopId]:
        """Which of these start or run, or may just be ended by who has stored that they are."""
        ...

    async def settle(
        self, desktop_id: DesktopId, status: DesktopStatus, reason: str | None = None
    ) -> bool:
        """It runs now, or has ended, and why; whether it had not ended before."""
        ...


class DesktopControl(Protocol):
    """Who uses desktops, and until when: what the desktop itself has said last, by its `number`."""

    async def hold(self, desktop_id: DesktopId, number: int, holder: str, seconds: float) -> None:
        """A person has it for so long from now on."""
        ...

    async def let_go(self, desktop_id: DesktopId, number: int) -> None:
        """Nobody has it any more."""
        ...

    async def use(self, desktop_id: DesktopId) -> None:
        """It counts as used now."""
        ...


class DesktopWatch(Protocol):
    """Finds those that are to be ended."""

    async def due(self, machine: str) -> Sequence[DueDesktop]:
        """Those whose time is over: of this machine, and of others that do not end theirs.

        Each has the time that its own machine has given it.
        """
        ...

    async def running_on(self, machine: str) -> Sequence[WatchedDesktop]:
        """All that should run on a machine."""
        ...

    async def has_ended(self, run_id: RunId) -> bool:
        """Whether a run neither goes on nor waits."""
        ...


class FilmStore(Protocol):
    """Frames of films."""

    async def add(self, desktop_id: DesktopId, frame: NewFrame, most: int) -> int:
        """Add a frame, and have the desktop count as used; returns its number.

        Raises Conflict where the film has `most` of agents, or of persons, and DesktopGone.
        """
        ...

    async def settle(self, desktop_id: DesktopId, number: int, frame: NewFrame) -> None:
        """Put a frame in the place of one that was added UNSETTLED, and have the desktop count as
        used. Raises DesktopGone.
        """
        ...

    async def page(
        self, owner_id: str, desktop_id: DesktopId, after: int, limit: int
    ) -> Sequence[FilmFrame]:
        """Frames after a number, in their order, up to that of what an agent does now: it and
        those after it are told when it is known what came of it.
        """
        ...

    async def last(self, desktop_id: DesktopId) -> FilmFrame | None:
        """The last one that is a person's, has a picture of how it looked afterwards, or of which
        nobody knows what came of it.
        """
        ...

    async def of_run(self, owner_id: str, run_id: RunId) -> Sequence[FilmFrame]:
        """What a run did, in its order."""
        ...
