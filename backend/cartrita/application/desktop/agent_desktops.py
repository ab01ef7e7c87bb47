"""What agents do on desktops: one is started where there is none, and the film tells all."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from weakref import WeakValueDictionary

import structlog

from cartrita.application.desktop.batches import ActionBatch, BatchParts
from cartrita.application.desktop.call_checks import require_possible, require_secrets_first
from cartrita.application.desktop.sights import is_enough, version_needed
from cartrita.domain.desktop import Action, Button, DesktopSession
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused, DesktopGone
from cartrita.domain.desktop_films import Shown
from cartrita.domain.desktop_stillness import NO_STILLNESS, stillness_of
from cartrita.domain.errors import CartritaError
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall, DesktopOutcome, calling_agent
from cartrita.domain.step_places import StepPlace

log = structlog.get_logger(__name__)

_DIED: Final = "It died."


class AgentDesktops:
    """Implements `DesktopUse`."""

    def __init__(self, parts: BatchParts) -> None:
        self._parts = parts
        self._turns: WeakValueDictionary[ConversationId, asyncio.Lock] = WeakValueDictionary()
        """By the conversations of desktops: calls of several agents come one after the other."""
        self._holding: dict[ConversationId, tuple[RunId, frozenset[Button]]] = {}
        """By their conversations: which of its runs was the last to hold something."""

    async def do(self, call: DesktopCall) -> DesktopOutcome:
        """See `DesktopUse`."""
        turn = self._turns.setdefault(call.conversation_id, asyncio.Lock())
        async with turn:
            return await self._do(call)

    async def _do(self, call: DesktopCall) -> DesktopOutcome:
        sessions = self._parts.sessions
        session = await sessions.of_conversation(call.conversation_id)
        if session is None:
            session = await sessions.start(call.owner_id, call.conversation_id)
        try:
            return await self._done(session, await sessions.opened(session), call)
        except DesktopGone:
            await sessions.forget(session, _DIED)
            raise
        except ActionBrokeOff:
            await self._look_after(session)
            raise

    async def _done(
        self, session: DesktopSession, desktop: Desktop, call: DesktopCall
    ) -> DesktopOutcome:
        batch = ActionBatch(self._parts, session, desktop, call, self.held(call.run_id))
        try:
            return await batch.outcome()
        finally:
            if batch.held:
                self._holding[call.conversation_id] = call.run_id, batch.held
            else:
                self._holding.pop(call.conversation_id, None)

    def held(self, run_id: RunId) -> frozenset[Button]:
        """See `DesktopUse`."""
        for holder, buttons in self._holding.values():
            if holder == run_id:
                return buttons
        return frozenset()

    async def let_go(self, conversation_id: ConversationId, run_id: RunId) -> None:
        """See `DesktopUse`."""
        if self.held(run_id):
            self._holding.pop(conversation_id, None)
        with suppress(CartritaError):  # whoever has it now has let go of all
            desktop = await self._parts.sessions.running_here(conversation_id)
            if desktop is not None:  # another worker may have pressed what is down
                await desktop.let_go(run_id)

    async def _look_after(self, session: DesktopSession) -> None:
        """Nobody knows what came of an action: whether the desktop is still there can be known."""
        try:
            await self._parts.sessions.opened(session)
        except DesktopGone:
            await self._parts.sessions.forget(session, _DIED)
        except CartritaError as error:  # what came of the action is told, and this to the next
            log.info("desktop_not_found", code=error.code)

    async def shown(
        self,
        conversation_id: ConversationId,
        run_id: RunId,
        place: StepPlace,
        actions: Sequence[Action],
    ) -> Shown | None:
        """See `DesktopUse`."""
        self._parts.limits.require_all(actions)
        require_secrets_first(actions)
        compared = stillness_of(actions) != NO_STILLNESS
        try:
            shown = await self._shown(conversation_id, run_id, place, actions)
        except ActionRefused:
            raise
        except CartritaError as error:
            if compared:
                raise ActionRefused(error.message) from None
            raise
        if shown is None and compared:
            raise ActionRefused.unseen()
        return shown

    async def _shown(
        self,
        conversation_id: ConversationId,
        run_id: RunId,
        place: StepPlace,
        actions: Sequence[Action],
    ) -> Shown | None:
        sessions = self._parts.sessions
        session = await sessions.of_conversation(conversation_id)
        agent = calling_agent(run_id, place)
        sight = None if session is None else self._parts.memory.sight(session.id, agent)
        if session is not None and actions:
            seen = version_needed(sight, actions)
            await require_possible(await sessions.opened(session), run_id, actions, seen)
        if not is_enough(sight, place.step_number, actions):
            raise ActionRefused.unseen()
        return None if session is None else await self._parts.films.shown(session, actions, sight)
