"""Does the actions of a call, and films each."""

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple

import anyio
import structlog

from cartrita.application.desktop.films import FilmedAction, Films
from cartrita.application.desktop.pictures import Pictures
from cartrita.domain.approvals import Decision
from cartrita.domain.desktop import LOOKS, Action, DesktopSession, Done, Zoom
from cartrita.domain.desktop_errors import ActionBrokeOff
from cartrita.domain.desktop_films import UNSETTLED
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.files import FileId
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall

log = structlog.get_logger(__name__)

LAST_S: Final = 5.0
"""For what is left to do of an action that is stopped: nobody waits any longer for that."""

_NO_PICTURE: Final = "Storing its picture failed inside the server."
_STOPPED: Final = "It was stopped, and may be done in part."


class Filmed(NamedTuple):
    """An action that was done: the screen after it, and the part that it asked to see."""

    action: Action
    done: Done
    screen: FileId
    part: FileId | None


class NotFilmed(Exception):
    """An action was done, and `why` there is no picture of that."""

    def __init__(self, done: Done, why: CartritaError) -> None:
        super().__init__(why.message)
        self.done = done
        self.why = why


class Filming:
    """Of one call on one desktop."""

    def __init__(
        self,
        films: Films,
        pictures: Pictures,
        session: DesktopSession,
        desktop: Desktop,
        call: DesktopCall,
    ) -> None:
        self._films = films
        self._pictures = pictures
        self._session = session
        self._desktop = desktop
        self._call = call

    async def do(self, action: Action, index: int, seen: int | None) -> Filmed:
        """Do an action on a screen of which this version was seen.

        `index` is its place in the call, 0 for a look that is none of the call's.

        Raises Controlled, ScreenChanged, ActionRefused, ActionBrokeOff and DesktopGone, and
        NotFilmed: what is done has not failed, whatever becomes of its pictures.
        """
        filmed = FilmedAction(
            action=action,
            index=index,
            run_id=self._call.run_id,
            call_id=self._call.call_id,
            approved_by=_approved_by(self._call) if index else None,
        )
        number = await self._films.begin(self._session, filmed)
        done = await self._done(number, filmed, seen)
        try:
            screen = await self._films.done(self._session, number, filmed, done)
            return Filmed(action, done, screen, await self._part(action, done))
        except CartritaError as error:
            why = error
        except Exception:
            log.exception("desktop_not_filmed", desktop=self._session.id.hex)
            why = Unavailable(_NO_PICTURE)
        with suppress(CartritaError):  # it stays UNSETTLED, which is as true
            await self._films.unseen(self._session, number, filmed)
        if isinstance(action, LOOKS):
            raise why
        raise NotFilmed(done, why)

    async def _done(self, number: int, filmed: FilmedAction, seen: int | None) -> Done:
        try:
            return await self._desktop.act(filmed.action, seen, filmed.run_id)
        except ActionBrokeOff as error:
            await self._fail(number, filmed, f"{UNSETTLED} {error.message}")
            raise
        except CartritaError as error:
            await self._fail(number, filmed, error.message)
            raise
        except asyncio.CancelledError:
            with anyio.move_on_after(LAST_S, shield=True):
                await self._fail(number, filmed, _STOPPED)
            raise

    async def _fail(self, number: int, filmed: FilmedAction, why: str) -> None:
        """Film why it was not done; what came of it is told also where that cannot be stored."""
        with suppress(CartritaError):
            await self._films.failed(self._session, number, filmed, why)

    async def _part(self, action: Action, done: Done) -> FileId | None:
        if done.picture is None or not isinstance(action, Zoom):
            return None
        return await self._pictures.part(self._session, done.picture)


def _approved_by(call: DesktopCall) -> str | None:
    approval = call.approval
    if approval is None or approval.decision is not Decision.APPROVED:
        return None
    return approval.decided_by
