"""Who uses a desktop: an agent, or a person who took it over, until they hand it back."""

import asyncio
from contextlib import suppress

import anyio
import structlog

from cartrita.application.desktop.films import Films
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.desktop import DesktopSession, Shot
from cartrita.domain.desktop_errors import Controlled
from cartrita.domain.errors import CartritaError
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_sessions import DesktopControl
from cartrita.domain.principals import Principal

log = structlog.get_logger(__name__)

_OTHER = "Somebody else controls this desktop now: wait until they hand it back."


def holder_of(principal: Principal) -> str:
    """As whom a caller has the control: one who has several pages open is one."""
    return principal.key_id or principal.owner_id


class DesktopLeases:
    """Leases of `seconds`: who does not take it again has it no more.

    That a person sees a desktop is stored every `seen_s`.
    """

    def __init__(
        self,
        sessions: DesktopSessions,
        store: DesktopControl,
        films: Films,
        *,
        seconds: float,
        seen_s: float,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._films = films
        self._seconds = seconds
        self._seen_s = seen_s

    async def take(
        self, principal: Principal, desktop: str, note: str | None = None
    ) -> DesktopSession:
        """Have the control, or have it longer. Raises Controlled while another has it."""
        session = await self._sessions.get(principal, desktop)
        opened, holder = await self._sessions.opened(session), holder_of(principal)
        try:
            taken = await opened.take(holder, self._seconds)
        except Controlled:
            raise Controlled(_OTHER) from None
        try:
            await self._store.hold(session.id, taken.number, holder, self._seconds)
        except BaseException:
            if taken.changed:  # nobody is told that they have it, and agents are not to wait
                with anyio.CancelScope(shield=True), suppress(CartritaError):
                    await opened.hand_back(holder)
            raise
        if taken.changed:
            await self._films.person(session, _told("take_over", note), await _screen(opened))
        return await self._sessions.get(principal, desktop)

    async def release(
        self, principal: Principal, desktop: str, note: str | None = None
    ) -> DesktopSession:
        """Hand it back. Raises Controlled while another has it."""
        session = await self._sessions.get(principal, desktop)
        opened, holder = await self._sessions.opened(session), holder_of(principal)
        shot = await _screen(opened)
        handed = await opened.hand_back(holder)
        await self._store.let_go(session.id, handed.number)
        if handed.changed:
            await self._films.person(session, _told("hand_back", note), shot)
        return await self._sessions.get(principal, desktop)

    async def watch(self, session: DesktopSession) -> None:
        """Have it count as used, since a person sees it, until cancelled."""
        while True:
            try:
                await self._store.use(session.id)
            except CartritaError as error:
                log.info("desktop_use_not_stored", code=error.code)
            await asyncio.sleep(self._seen_s)

    async def screen(self, principal: Principal, desktop: str) -> Shot:
        """The screen now. Raises DesktopGone."""
        session = await self._sessions.get(principal, desktop)
        return await (await self._sessions.opened(session)).look()


async def _screen(desktop: Desktop) -> Shot | None:
    """How it looks, where that can be known now: the control changes hands all the same."""
    try:
        return await desktop.look()
    except CartritaError as error:
        log.info("picture_of_person_not_taken", code=error.code)
        return None


def _told(kind: str, note: str | None) -> JsonObject:
    return {"type": kind} if note is None else {"type": kind, "note": note}
