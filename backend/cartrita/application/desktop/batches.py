"""Batches of actions on a desktop: done in order, each filmed, up to the first that fails."""

from typing import NamedTuple

import anyio
import structlog

from cartrita.application.desktop import call_accounts, call_checks, sights
from cartrita.application.desktop.action_limits import ActionLimits
from cartrita.application.desktop.call_accounts import CallAccount
from cartrita.application.desktop.filming import LAST_S, Filming, NotFilmed
from cartrita.application.desktop.films import Films
from cartrita.application.desktop.hand_backs import is_handed_back
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.application.desktop.pictures import Pictures
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.desktop import LOOKS, Action, Button, DesktopSession, Screenshot
from cartrita.domain.desktop_errors import (
    ActionBrokeOff,
    ActionRefused,
    Controlled,
    DesktopGone,
    ScreenChanged,
)
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall, DesktopOutcome

log = structlog.get_logger(__name__)


class BatchParts(NamedTuple):
    """What batches are done with."""

    sessions: DesktopSessions
    films: Films
    pictures: Pictures
    memory: DesktopMemory
    limits: ActionLimits


class ActionBatch:
    """One call on one desktop."""

    def __init__(
        self,
        use: BatchParts,
        session: DesktopSession,
        desktop: Desktop,
        call: DesktopCall,
        held: frozenset[Button],
    ) -> None:
        """`held` are the buttons that are down before it, as far as is known."""
        self._use = use
        self._session = session
        self._desktop = desktop
        self._call = call
        self._filming = Filming(use.films, use.pictures, session, desktop, call)
        self._standstill = call_checks.Standstill(use.memory, session, call, use.limits.looks_max)
        self._account = CallAccount(call.actions)
        known = use.memory.sight(session.id, call.agent)
        self._sight = sights.decided_on(call, session.id, known)
        """What the agent has seen."""
        self.held: frozenset[Button] = held
        """The buttons that are down now."""

    async def outcome(self) -> DesktopOutcome:
        """Do the actions, up to the first that fails. Nothing is held where one has, but what is
        not done because the screen has changed lets go of nothing: that would drop it there.
        """
        try:
            outcome = await self._outcome()
        except BaseException:
            with anyio.move_on_after(LAST_S, shield=True):
                await self._let_go()
            raise
        if self._sight is not None:
            self._use.memory.see(self._session.id, self._call.agent, self._sight)
        return outcome

    async def _outcome(self) -> DesktopOutcome:
        last = self._use.memory.picture(self._session.id)
        try:
            early = await self._ended_early()
        except Controlled:
            return await self._handed_back()
        except ActionBrokeOff as error:
            raise self._account.broke_off(error) from None
        except CartritaError as error:
            error.message = self._account.placed(error.message)
            raise
        if early is not None:
            return early
        actions = self._call.actions
        if all(isinstance(action, LOOKS) for action in actions):
            self._count_look(same=last is not None and last.file_id == self._account.screen)
        shows = self._call.shows_all or isinstance(actions[-1], Screenshot)
        return self._account.done(shows=shows)

    async def _ended_early(self) -> DesktopOutcome | None:
        """Do all; what is told where it ends before that."""
        try:
            await self._require_possible()
            await self._do_in_order()
        except ScreenChanged as changed:
            return await self._changed(changed.message)
        except ActionRefused as refused:
            return await self._refused(refused.message)
        except NotFilmed as lost:
            await self._let_go()
            return self._account.not_filmed(lost.why.message)
        return None

    async def _require_possible(self) -> None:
        """Raise for a call of which nothing is to be begun."""
        call = self._call
        self._use.limits.require_all(call.actions)
        if call.approval is not None:
            call_checks.require_secrets_first(call.actions)
        if len(call.actions) > 1:  # else it is refused itself, and filmed
            await call_checks.require_possible(self._desktop, call.run_id, call.actions)
        if self._sight is None:  # what others have left is not its own
            await self._let_go()
        sights.require_enough(self._sight, call.step, call.actions)
        await self._standstill.require(self._desktop, 1)

    async def _do_in_order(self) -> None:
        for index, action in enumerate(self._call.actions, 1):
            self._account.begin(index)
            self._require_time()
            if index > 1:
                await self._standstill.require(self._desktop, index)
            await self._act(index, action)

    async def _act(self, index: int, action: Action) -> None:
        """Do one action of the call, or a look for the agent, and film it."""
        sights.require_enough(self._sight, self._call.step, (action,))
        seen = None if self._sight is None else self._sight.version
        try:
            filmed = await self._filming.do(action, index, seen)
        except NotFilmed as lost:
            self.held = lost.done.held
            raise
        self.held = filmed.done.held
        self._account.add(filmed)
        if not isinstance(action, LOOKS):
            self._use.memory.end_looks(self._session.id)
        self._sight = sights.seen_after(
            self._sight, self._call.step, action, filmed.done, filmed.screen
        )

    async def _let_go(self) -> CartritaError | None:
        """Let go of what is held, whoever knows of it, and tell of what is known.

        What it met: a person has it, and it was let go; or it has ended.
        """
        if self.held:
            self._account.drop()
        self.held = frozenset[Button]()
        try:
            await self._desktop.let_go()
        except CartritaError as error:
            return error
        return None

    def _require_time(self) -> None:
        """Raise ActionRefused when the time of the answer is over."""
        left = self._call.left()
        if left is not None and left <= 0:
            raise call_accounts.late()

    async def _changed(self, why: str) -> DesktopOutcome:
        """Tell that an action was not done. Raises Controlled and DesktopGone."""
        return self._account.changed(why, await self._look())

    async def _refused(self, why: str) -> DesktopOutcome:
        """Tell why an action was not done. Nothing is held then.

        Raises Controlled and DesktopGone.
        """
        self._use.memory.end_looks(self._session.id)
        await self._let_go()
        unseen = await self._look()
        return self._account.refused(why, shows=unseen is None)

    async def _look(self) -> CartritaError | None:
        """Look for the agent what is there now, and is held; why that cannot be shown, if it is so.

        Raises Controlled and DesktopGone.
        """
        unseen = None
        try:
            await self._act(0, Screenshot())
        except (Controlled, DesktopGone):
            raise
        except CartritaError as error:
            log.info("desktop_not_shown", code=error.code)
            unseen = error
        if isinstance(unseen, ActionBrokeOff):  # it has let go of all then, or has ended
            met = await self._let_go()
            if isinstance(met, Controlled | DesktopGone):
                raise met
        if self.held:
            self._account.hold()
        return unseen

    async def _handed_back(self) -> DesktopOutcome:
        """Wait until the person has handed the desktop back, and tell the model to look."""
        await self._let_go()
        await self._call.progress("A person uses the desktop.", None)
        handed_back = await is_handed_back(
            self._use.sessions, self._session, self._desktop, self._use.limits
        )
        self._count_look(same=True)
        if handed_back:
            await self._call.progress("The desktop was handed back.", None)
        return self._account.handed_back(still_used=not handed_back)

    def _count_look(self, *, same: bool) -> None:
        """Raise AgentStuck for one look too many at the same."""
        looks = self._use.memory.count_look(self._session.id, self._call.run_id, same=same)
        if looks >= self._use.limits.looks_max:
            raise call_accounts.stuck(looks)
