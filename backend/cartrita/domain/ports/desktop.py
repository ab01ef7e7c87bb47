"""Ports of desktops: what starts them, and what is done on one."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from cartrita.domain.desktop import (
    Action,
    ControlChange,
    DesktopId,
    DesktopIsolation,
    DesktopSpec,
    Done,
    Shot,
)
from cartrita.domain.desktop_hands import Impossible
from cartrita.domain.desktop_stillness import Stillness
from cartrita.domain.ids import RunId
from cartrita.kit.secret import Secret


class Viewer(Protocol):
    """A connection to a desktop that speaks RFB (RFC 6143), the protocol of VNC."""

    async def receive(self) -> bytes:
        """What the desktop says; empty at its end. Raises Malformed: no RFB was said."""
        ...

    async def send(self, data: bytes) -> None:
        """What the viewer says. Input is dropped unless the viewer has the control."""
        ...


class SharedDesktop(Protocol):
    """A running desktop, as persons see and use it. All raise DesktopGone once it is not."""

    async def look(self) -> Shot:
        """The screen now, for a person."""
        ...

    async def take(self, holder: str, seconds: float) -> ControlChange:
        """Give the control to a person for so long, when the action in hand is over.

        Who has it already has it longer. Raises Controlled while another has it.
        """
        ...

    async def hand_back(self, holder: str) -> ControlChange:
        """End the control of this person. Raises Controlled while another has it."""
        ...

    def view(self, holder: str) -> AbstractAsyncContextManager[Viewer]:
        """A viewer, whose input counts while `holder` has the control."""
        ...


class Desktop(SharedDesktop, Protocol):
    """The same, as agents use it, too."""

    async def keep(self, secrets: Mapping[str, Secret], run_id: RunId | None) -> None:
        """Know these secrets by their names, in place of others, for as long as it runs.

        They are typed for this run alone. Without one there are none to know.
        """
        ...

    async def refused(
        self, actions: Sequence[Action], run_id: RunId | None = None, seen: int | None = None
    ) -> Impossible | None:
        """The first of these that cannot be done for a run, as places outside of the screen,
        unknown keys and secrets that are not its own cannot. Nothing is done.

        Raises ScreenChanged where there is none, and the screen has another version than was
        `seen`. Without that any will do.
        """
        ...

    async def act(
        self, action: Action, seen: int | None = None, run_id: RunId | None = None
    ) -> Done:
        """Do one action for an agent of a run that has seen this version of the screen.

        Returns when the screen stands still, or the time for that is over. Raises ActionRefused for
        what cannot be done, ScreenChanged where the screen has another version, unless it changes
        nothing, and Controlled while a person has the control, all with nothing done; and
        ActionBrokeOff for what was begun and may be done. Without `seen` any version will do.
        When it is refused or cancelled, all keys and buttons are let go.
        """
        ...

    async def is_unchanged(self, digest: str, still: Stillness) -> bool:
        """Whether all that has to is as it was on the screen of this digest, which `act` told.

        What blinks is so if it is soon. It is not where that is too long ago. Raises Controlled.
        """
        ...

    async def held_by(self) -> RunId | None:
        """The run whose agents hold a button down, if one does."""
        ...

    async def let_go(self, run_id: RunId | None = None) -> None:
        """Let go of all keys and buttons that agents hold, or that those of this run do.

        Raises Controlled.
        """
        ...


class Desktops(Protocol):
    """The desktops of this machine."""

    @property
    def isolation(self) -> DesktopIsolation | None:
        """What would keep a new one from the machine; None where none can be started."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """What has to be installed first, as the lines that install it."""
        ...

    def announced(self, desktop_id: DesktopId) -> AbstractContextManager[None]:
        """Meanwhile this worker is about to start one, as long as it lives.

        Raises Unavailable where others cannot be told.
        """
        ...

    async def is_begun(self, desktop_id: DesktopId) -> bool:
        """Whether one runs, or has been announced by a worker that lives; so it is where that
        cannot be found out.
        """
        ...

    async def start(self, desktop_id: DesktopId, spec: DesktopSpec) -> Desktop:
        """Start one. Raises Unavailable, and leaves nothing behind then."""
        ...

    async def find(self, desktop_id: DesktopId) -> Desktop | None:
        """One that runs on this machine, whichever worker started it.

        Raises Unavailable where it cannot be found out whether it does, as where it stands still.
        """
        ...

    def of(self, desktop_id: DesktopId) -> Desktop:
        """One of this machine, without asking whether it runs: what is asked of it tells."""
        ...

    async def is_dead(self, desktop_id: DesktopId) -> bool:
        """Whether one that ran does not any more, or stands still for good.

        Raises Unavailable where this cannot be found out.
        """
        ...

    async def all_running(self) -> Sequence[DesktopId]:
        """All that run on this machine, or are being started, whichever worker did.

        One that died may be among them until it is stopped.
        """
        ...

    async def stop(self, desktop_id: DesktopId) -> None:
        """End it with all that it started; it may have ended already."""
        ...
