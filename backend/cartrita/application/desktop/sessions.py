"""Sessions of desktops: created, found, listed and ended."""

from collections.abc import Sequence
from datetime import timedelta

import anyio
import msgspec
import structlog

from cartrita.application.conversations.conversations import Conversations, validated_page_size
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.domain.desktop import (
    ID_PREFIX,
    DesktopId,
    DesktopSession,
    DesktopSpec,
    DesktopStatus,
)
from cartrita.domain.desktop_errors import DesktopGone, DesktopStarting
from cartrita.domain.desktop_places import shown_size
from cartrita.domain.errors import CartritaError, Conflict, Forbidden, NotFound, Unavailable
from cartrita.domain.ids import ConversationId
from cartrita.domain.ports.desktop import Desktop, Desktops
from cartrita.domain.ports.desktop_sessions import DesktopLimits, DesktopStore
from cartrita.domain.principals import Principal
from cartrita.kit import clock, ids
from cartrita.kit.pagination import Page

log = structlog.get_logger(__name__)

ENDED_BY_PERSON = "It was ended by its owner."
_NOT_STARTED = "It did not start."


class DesktopPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How desktops of this machine are made, for how long, and how many."""

    machine: str
    spec: DesktopSpec
    lifetime_s: float
    idle_s: float
    limits: DesktopLimits


class DesktopSessions:
    """Desktops of the principal. Those of other owners raise NotFound like missing ones."""

    def __init__(
        self,
        store: DesktopStore,
        conversations: Conversations,
        memory: DesktopMemory,
        desktops: Desktops | None,
        plan: DesktopPlan,
    ) -> None:
        """Without `desktops` there are none on this server."""
        self._store = store
        self._conversations = conversations
        self._memory = memory
        self._desktops = desktops
        self._plan = plan
        self._own: set[DesktopId] = set()

    @property
    def size(self) -> tuple[int, int]:
        """The width and the height of their screens, as they are shown."""
        return shown_size(self._plan.spec.width, self._plan.spec.height)

    async def create(self, principal: Principal, conversation: str | None) -> DesktopSession:
        """Start one for a conversation, or for a new one, which is not left without it.

        The new one is untitled until its first task, as others are until their first message.
        Raises NotFound, Conflict where it has one, RateLimited, Forbidden and Unavailable.
        """
        if conversation is not None:
            found = await self._conversations.get(principal, conversation)
            return await self.start(principal.owner_id, found.id)
        self._require_available()
        made = await self._conversations.create(principal)
        try:
            return await self.start(principal.owner_id, made.id)
        except BaseException:
            await self._remove_conversation(principal, made.public_id)
            raise

    async def discard(self, principal: Principal, session: DesktopSession, reason: str) -> None:
        """End one of a new conversation, and remove both."""
        with anyio.CancelScope(shield=True):
            await self.end(session, reason)
        await self._remove_conversation(principal, session.public_conversation_id)

    async def start(self, owner_id: str, conversation_id: ConversationId) -> DesktopSession:
        """Start one for a conversation of this owner. Raises as `create`."""
        desktops = self._require_available()
        isolation = self._plan.spec.isolation or desktops.isolation
        assert isolation is not None
        now = clock.now()
        width, height = self.size
        session = DesktopSession(
            id=DesktopId(ids.uuid7()),
            owner_id=owner_id,
            conversation_id=conversation_id,
            status=DesktopStatus.STARTING,
            machine=self._plan.machine,
            width=width,
            height=height,
            isolation=isolation,
            created_at=now,
            used_at=now,
            expires_at=now + timedelta(seconds=self._plan.lifetime_s),
            idle_s=self._plan.idle_s,
        )
        with desktops.announced(session.id):  # before anybody can read that it starts
            await self._store.begin(session, self._plan.limits)
            await self._started(desktops, session)
        return await self._again(session)

    async def get(self, principal: Principal, public_id: str) -> DesktopSession:
        """Find one by its id, also one that has ended. Raises NotFound."""
        identity = ids.parse(ID_PREFIX, public_id)
        found = None
        if identity is not None:
            found = await self._store.get(principal.owner_id, DesktopId(identity))
        if found is None:
            raise _not_found()
        return found

    async def list(
        self, principal: Principal, limit: int = 50, cursor: str | None = None
    ) -> Page[DesktopSession]:
        """One page, the latest first. Raises InvalidInput."""
        return await self._store.list(principal.owner_id, validated_page_size(limit), cursor)

    async def of_conversation(self, conversation_id: ConversationId) -> DesktopSession | None:
        """The one of a conversation that runs, if one does."""
        found = await self._store.latest(conversation_id)
        return found if found is not None and found.alive else None

    async def latest(self, conversation_id: ConversationId) -> DesktopSession:
        """The last one of a conversation, also if it has ended. Raises NotFound."""
        found = await self._store.latest(conversation_id)
        if found is None:
            raise _not_found()
        return found

    async def opened(self, session: DesktopSession) -> Desktop:
        """One that runs, to be used.

        Raises DesktopGone, DesktopStarting, Conflict, Forbidden and Unavailable.
        """
        if not session.alive:
            raise _gone(session)
        if session.machine != self._plan.machine:
            raise Conflict(
                "This desktop runs on another machine: ask the server there.",
                code="desktop_elsewhere",
            )
        found = await self._require_enabled().find(session.id)
        if found is not None:
            return found
        if session.status is DesktopStatus.STARTING:  # its keeper knows whether somebody does that
            raise DesktopStarting("The desktop is being started. Try again in a moment.")
        raise DesktopGone.ended()

    async def running_here(self, conversation_id: ConversationId) -> Desktop | None:
        """The one of a conversation, if it runs on this machine. Raises Unavailable."""
        session = await self.of_conversation(conversation_id)
        if self._desktops is None or session is None or session.machine != self._plan.machine:
            return None
        return await self._desktops.find(session.id)

    async def is_begun(self, session: DesktopSession) -> bool:
        """Whether one that should start here is being started, by any worker that lives."""
        return self._desktops is None or await self._desktops.is_begun(session.id)

    async def is_dead(self, session: DesktopSession) -> bool:
        """Whether one that ran here does not any more, or has stood still for too long.

        Raises Unavailable where this cannot be found out.
        """
        return self._desktops is not None and await self._desktops.is_dead(session.id)

    def found(self, session: DesktopSession) -> Desktop:
        """One of this machine that was just found to run. Raises Forbidden."""
        return self._require_enabled().of(session.id)

    async def end(self, session: DesktopSession, reason: str) -> None:
        """End one, whether it runs or not."""
        await self._end(session, DesktopStatus.STOPPED, reason)

    async def forget(self, session: DesktopSession, reason: str) -> None:
        """Say of one that it failed, and remove what is left of it."""
        await self._end(session, DesktopStatus.FAILED, reason)

    async def lost(self) -> Sequence[DesktopId]:
        """Those that run here, and of which it is said that they have ended.

        One has a row before it is started, so what has none that lives was forgotten by its worker.
        """
        if self._desktops is None:
            return ()
        found = await self._desktops.all_running()
        alive = await self._store.alive(found)
        return [one for one in found if one not in alive]

    async def stop(self, desktop_id: DesktopId) -> None:
        """Stop one that was lost."""
        if self._desktops is not None:
            await self._desktops.stop(desktop_id)

    async def close(self, reason: str) -> None:
        """End those that this worker started, as far as that can be stored."""
        for desktop_id in tuple(self._own):
            try:
                await self._settle(desktop_id, DesktopStatus.STOPPED, reason)
            except CartritaError as error:
                log.info("desktop_end_not_stored", code=error.code)

    async def _started(self, desktops: Desktops, session: DesktopSession) -> None:
        self._own.add(session.id)
        try:
            await desktops.start(session.id, self._plan.spec)
            ready = await self._store.settle(session.id, DesktopStatus.READY)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.forget(session, _NOT_STARTED)
            raise
        if not ready:  # it was ended meanwhile
            await desktops.stop(session.id)
            raise DesktopGone.ended()

    async def _remove_conversation(self, principal: Principal, public_id: str) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self._conversations.delete(principal, public_id)
            except CartritaError as error:  # an empty one is left, and why nothing began is told
                log.info("conversation_not_removed", code=error.code)

    async def _end(self, session: DesktopSession, status: DesktopStatus, reason: str) -> None:
        """Say it, and stop it whether that could be stored or not.

        It is said first: an agent that finds it gone meanwhile would tell that it failed.
        """
        with anyio.CancelScope(shield=True):
            try:
                await self._settle(session.id, status, reason)
            finally:
                if self._desktops is not None and session.machine == self._plan.machine:
                    await self._desktops.stop(session.id)

    async def _settle(self, desktop_id: DesktopId, status: DesktopStatus, reason: str) -> None:
        self._own.discard(desktop_id)
        self._memory.forget(desktop_id)
        await self._store.settle(desktop_id, status, reason)

    async def _again(self, session: DesktopSession) -> DesktopSession:
        found = await self._store.get(session.owner_id, session.id)
        if found is None:
            raise DesktopGone.ended()
        return found

    def _require_enabled(self) -> Desktops:
        if self._desktops is None:
            raise Forbidden(
                "There are no desktops on this server: whoever runs it can set "
                "CARTRITA_DESKTOP_ENABLED=1.",
                code="desktop_disabled",
            )
        return self._desktops

    def _require_available(self) -> Desktops:
        desktops = self._require_enabled()
        if desktops.isolation is None or desktops.missing:
            lacking = "; ".join(desktops.missing) or "nothing shuts them in"
            raise Unavailable(
                f"Desktops cannot be started here: {lacking}.", code="desktop_unavailable"
            )
        return desktops


def _not_found() -> NotFound:
    return NotFound("There is no such desktop.", code="desktop_not_found")


def _gone(session: DesktopSession) -> DesktopGone:
    return DesktopGone(f"This desktop has ended. {session.reason or ''}".strip())
