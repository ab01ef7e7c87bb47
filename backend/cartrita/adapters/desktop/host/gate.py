"""Who may use a desktop: agents, one action after the other, or the person who has the lease."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cartrita.domain.desktop import ControlChange
from cartrita.domain.desktop_errors import Controlled, ScreenChanged

T = TypeVar("T")


class Gate:
    """What agents do passes here, and persons take the control of what passes.

    A person who takes it waits for the action in hand; from then on what agents want is refused,
    and nothing of it waits. `let_go` is called whenever a person has taken the control, and when
    that has ended.

    The screen has a version, which is another when something is begun on it, whatever comes of
    that, and when a person has taken it. Who has seen an older one has not seen what is there now.
    """

    def __init__(self, let_go: Callable[[], object]) -> None:
        self._let_go = let_go
        self._turn = asyncio.Lock()
        self._awaited: str | None = None
        self._holder: str | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._version = 1
        self._asked_for = 0
        """How often the control was asked for, or handed back."""

    @property
    def holder(self) -> str | None:
        """The person who has the control."""
        return self._holder

    async def look(self, work: Callable[[], Awaitable[T]]) -> tuple[T, int]:
        """Do it for an agent, alone, and tell the version. Raises Controlled, with nothing done."""
        self._require_no_person()
        async with self._turn:
            self._require_no_person()
            return await work(), self._version

    async def act(self, work: Callable[[], Awaitable[T]], seen: int | None = None) -> tuple[T, int]:
        """The same for what changes the screen. Raises ScreenChanged if another was `seen`."""
        self._require_no_person()
        async with self._turn:
            self._require_no_person()
            self.require_seen(seen)
            self._version += 1
            return await work(), self._version

    async def act_if(self, wanted: Callable[[], bool], work: Callable[[], Awaitable[T]]) -> None:
        """The same where it is still wanted in its turn; else the screen is the one that was seen.

        Raises Controlled only where it is wanted now.
        """
        if not wanted():
            return
        self._require_no_person()
        async with self._turn:
            if not wanted():
                return
            self._require_no_person()
            self._version += 1
            await work()

    def require_seen(self, version: int | None) -> None:
        """Raise ScreenChanged where the screen has another version than this, if one is told."""
        if version not in (None, self._version):
            raise ScreenChanged.unseen()

    async def take(self, holder: str, seconds: float) -> ControlChange:
        """Give the control to a person, or leave it to who has it, for so long from now on."""
        if self._holder == holder:
            return self._hold(holder, seconds)
        if self._holder is not None or self._awaited not in (None, holder):
            raise _taken()
        self._awaited = holder
        try:
            async with self._turn:
                if self._holder not in (None, holder):
                    raise _taken()
                return self._hold(holder, seconds)
        finally:
            self._awaited = None

    def hand_back(self, holder: str) -> ControlChange:
        """End the control of this person; it may have ended already."""
        if self._holder not in (None, holder):
            raise _taken()
        had = self._holder is not None
        if had:
            self._end()
        return self._numbered(changed=had)

    def _hold(self, holder: str, seconds: float) -> ControlChange:
        had = self._holder is not None
        if self._expiry is not None:
            self._expiry.cancel()
        if not had:
            self._version += 1
            self._let_go()
        self._holder = holder
        self._expiry = asyncio.get_running_loop().call_later(seconds, self._end)
        return self._numbered(changed=not had)

    def _numbered(self, *, changed: bool) -> ControlChange:
        self._asked_for += 1
        return ControlChange(self._asked_for, changed)

    def _end(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        self._holder = None
        self._let_go()

    def _require_no_person(self) -> None:
        if self._holder is not None or self._awaited is not None:
            raise Controlled.by_person()


def _taken() -> Controlled:
    return Controlled("Another person is using the desktop. Ask for it again when it is free.")
