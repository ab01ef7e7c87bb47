"""Films of desktops: written as things are done, read in pages, and exported."""

from collections.abc import AsyncGenerator, Sequence

import msgspec
import structlog

from cartrita.application.desktop.pictures import Pictures
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.application.desktop.sights import Sight
from cartrita.application.files.files import Files
from cartrita.domain.desktop import Action, DesktopSession, Done, Shot
from cartrita.domain.desktop_films import (
    NOT_FILMED,
    UNSETTLED,
    FilmFrame,
    NewFrame,
    Shown,
    marker_of,
    markers_of,
)
from cartrita.domain.errors import CartritaError, InvalidInput, NotFound
from cartrita.domain.files import ID_PREFIX, FileId
from cartrita.domain.ids import RunId
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.desktop_sessions import FilmStore
from cartrita.domain.principals import Principal
from cartrita.kit import ids

log = structlog.get_logger(__name__)

FRAMES_PAGE = 200


class FilmedAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action of an agent: which call of which run has it at which place, and who approved."""

    action: Action
    index: int
    run_id: RunId
    call_id: str
    approved_by: str | None = None

    def frame(self, error: str | None = None) -> NewFrame:
        """Its frame, without pictures."""
        return NewFrame(
            actor="agent",
            action=as_told(self.action),
            duration_ms=0.0,
            run_id=self.run_id,
            call_id=self.call_id,
            marker=marker_of(self.index, self.action),
            approved_by=self.approved_by,
            error=error,
        )


class Films:
    """Films of the principal's desktops, of `most` frames of agents, and as many of persons."""

    def __init__(
        self,
        store: FilmStore,
        pictures: Pictures,
        sessions: DesktopSessions,
        files: Files,
        *,
        most: int,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._sessions = sessions
        self._files = files
        self._most = most

    async def begin(self, session: DesktopSession, filmed: FilmedAction) -> int:
        """Film that an agent begins an action, whatever ends it; the number of its frame.

        Raises Conflict where the film has no room for it.
        """
        return await self._add(session, filmed.frame(UNSETTLED))

    async def done(
        self, session: DesktopSession, number: int, filmed: FilmedAction, done: Done
    ) -> FileId:
        """Film how an action was done; the picture after it."""
        before = await self._pictures.screen(session, done.before)
        after = await self._pictures.screen(session, done.after)
        frame = msgspec.structs.replace(
            filmed.frame(),
            duration_ms=round(done.seconds * 1000, 1),
            before=before,
            after=after,
        )
        await self._store.settle(session.id, number, frame)
        return after

    async def unseen(self, session: DesktopSession, number: int, filmed: FilmedAction) -> None:
        """Film that an action was done, where its pictures could not be stored."""
        await self._store.settle(session.id, number, filmed.frame(NOT_FILMED))

    async def failed(
        self, session: DesktopSession, number: int, filmed: FilmedAction, why: str
    ) -> None:
        """Film why an action was not done, or not to its end."""
        await self._store.settle(session.id, number, filmed.frame(why))

    async def person(self, session: DesktopSession, action: JsonObject, shot: Shot | None) -> None:
        """Film what a person did about the control, and how the screen looks, if that is known.

        It is done already: what cannot be stored of it is left out.
        """
        after = None
        try:
            if shot is not None:
                after = await self._pictures.screen(session, shot)
        except CartritaError as error:
            log.info("picture_of_person_not_stored", code=error.code)
        try:
            await self._add(
                session, NewFrame(actor="person", action=action, duration_ms=0.0, after=after)
            )
        except CartritaError as error:
            log.warning("person_not_filmed", code=error.code)

    async def shown(
        self, session: DesktopSession, actions: Sequence[Action], sight: Sight | None
    ) -> Shown | None:
        """What a person sees who decides on these actions: the last picture, and where they act.

        None if that is another than their agent has seen. Of one that has seen nothing, nothing is
        done, whatever is decided.
        """
        last = await self._store.last(session.id)
        if last is None or last.after is None:
            return None
        if sight is not None and sight.picture != last.after:
            return None
        if not await self._pictures.is_there(session, last.after):
            return None
        return Shown(
            desktop_id=session.id,
            file_id=ids.public(ID_PREFIX, last.after),
            digest="" if sight is None else sight.digest,
            markers=markers_of(actions),
            version=None if sight is None else sight.version,
        )

    async def is_left_by_person(self, session: DesktopSession) -> bool:
        """Whether a person was the last to have the desktop."""
        last = await self._store.last(session.id)
        return last is not None and last.actor == "person"

    async def page(
        self, principal: Principal, desktop: str, after: int = 0, limit: int = FRAMES_PAGE
    ) -> Sequence[FilmFrame]:
        """Frames after a number, in their order. Raises NotFound and InvalidInput."""
        if not 1 <= limit <= FRAMES_PAGE:
            raise InvalidInput.of("limit", f"choose a number from 1 to {FRAMES_PAGE}")
        session = await self._sessions.get(principal, desktop)
        return await self._store.page(principal.owner_id, session.id, after, limit)

    async def of_run(self, principal: Principal, run_id: RunId) -> Sequence[FilmFrame]:
        """What a run of the principal did on desktops."""
        return await self._store.of_run(principal.owner_id, run_id)

    async def frames(
        self, principal: Principal, session: DesktopSession
    ) -> AsyncGenerator[FilmFrame]:
        """All of a film, page by page."""
        after = 0
        while page := await self._store.page(principal.owner_id, session.id, after, FRAMES_PAGE):
            for frame in page:
                yield frame
            after = page[-1].number

    async def picture(self, principal: Principal, file_id: FileId) -> bytes | None:
        """The bytes of a picture; None if it is not there any more."""
        try:
            file = await self._files.get(principal, ids.public(ID_PREFIX, file_id))
            async with self._files.content(file) as pieces:
                return b"".join([piece async for piece in pieces])
        except NotFound:
            return None

    async def _add(self, session: DesktopSession, frame: NewFrame) -> int:
        return await self._store.add(session.id, frame, self._most)


def as_told(action: Action) -> JsonObject:
    """An action as it is told and stored: of a secret only its name."""
    return msgspec.to_builtins(action)
