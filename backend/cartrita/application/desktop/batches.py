"""Batches of actions on a desktop: done in order, each filmed, up to the first that fails."""

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple

import anyio
import structlog

from cartrita.application.desktop import call_accounts, call_checks
from cartrita.application.desktop.action_limits import ActionLimits
from cartrita.application.desktop.films import FilmedAction, Films
from cartrita.application.desktop.hand_backs import is_handed_back
from cartrita.application.desktop.memory import DesktopMemory, Sight
from cartrita.application.desktop.pictures import Pictures
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.approvals import Decision
from cartrita.domain.broken_off import ActionBrokeOff
from cartrita.domain.desktop import (
    LOOKS,
    Action,
    Button,
    CursorPosition,
    DesktopSession,
    Done,
    Screenshot,
    Zoom,
)
from cartrita.domain.desktop_films import UNSETTLED
from cartrita.domain.errors import (
    ActionRefused,
    CartritaError,
    Controlled,
    Unavailable,
)
from cartrita.domain.files import ID_PREFIX, FileId
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall, DesktopOutcome
from cartrita.domain.screen_changes import ScreenChanged
from cartrita.kit import ids
from cartrita.tools.tool import AgentStuck

log = structlog.get_logger()

_HANDED_BACK: Final = (
    "A person used the desktop, and has handed it back. Take a new screenshot, and look what has "
    "changed."
)
_STILL_USED: Final = (
    "A person is using the desktop. Wait, and take a new screenshot when it is handed back."
)
_NO_PICTURE: Final = "Storing its picture failed inside the server."
_STOPPED: Final = "It was stopped, and may be done in part."
_LAST_S: Final = 5.0
"""For the frame of an action that is stopped, and to let go: nobody waits any longer for that."""
_LET_GO: Final = " The button that was held down was let go."
_TIME_IS_UP: Final = "what this answer may use of seconds is used up"


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
        self._lines: list[str] = []
        self._parts: list[FileId] = []
        self._screen: FileId | None = None
        self._seen = call_checks.sight_of(use.memory, session, call)
        """The version of the screen on which the agent has decided, and what it did since."""
        self._pictured: FileId | None = None
        """How that looked last."""
        self._standstill = call_checks.Standstill(use.memory, session, use.limits.looks_max)
        self._index = 0
        self.held: frozenset[Button] = held
        """The buttons that are down now."""
        self._dropped = ""
        self._unstored: CartritaError | None = None

    async def outcome(self) -> DesktopOutcome:
        """Do the actions, up to the first that fails. Nothing is held where one has."""
        try:
            return await self._outcome()
        except BaseException:
            with anyio.move_on_after(_LAST_S, shield=True):
                await self._let_go()
            raise

    async def _outcome(self) -> DesktopOutcome:
        call, memory = self._call, self._use.memory
        last = memory.picture(self._session.id)
        try:
            early = await self._done()
        except Controlled:
            return await self._handed_back()
        except ActionRefused as refused:
            return await self._refused(refused.message)
        except ActionBrokeOff as error:
            raise self._broke_off(error) from None
        except CartritaError as error:
            error.message = self._placed(error.message)
            raise
        if early is not None:
            return early
        if all(isinstance(action, LOOKS) for action in call.actions):
            self._count_look(same=last is not None and last.file_id == self._screen)
        return self._told(self._summary(), success=True, shows=call.shows_all)

    async def _done(self) -> DesktopOutcome | None:
        """Do all; what is told where it ends early, and nothing was refused."""
        self._use.limits.require_all(self._call.actions)
        if len(self._call.actions) > 1:  # else it is refused itself, and filmed
            await call_checks.require_possible(self._desktop, self._call.actions)
        if self._seen is None:  # what others have left is not its own
            await self._let_go()
        try:
            call_checks.require_seen(self._call, self._seen)
            await self._standstill.require(self._desktop, self._call)
            return await self._done_in_order()
        except ScreenChanged as changed:
            told = self._not_done(changed.message)
        await self._let_go()
        await self._act(0, Screenshot())
        return self._told(told, success=False, shows=True)

    async def _done_in_order(self) -> DesktopOutcome | None:
        for index, action in enumerate(self._call.actions, 1):
            self._index = index
            self._require_time()
            await self._act(index, action)
            if self._unstored is not None:
                await self._let_go()
                told = call_accounts.not_filmed(
                    index, len(self._call.actions), self._unstored.message
                )
                return self._told(told, success=False, shows=False)
        return None

    async def _act(self, index: int, action: Action) -> None:
        """Do one action and film it.

        Raises Controlled, ScreenChanged, ActionRefused, ActionBrokeOff and DesktopGone. What is
        done has not failed, whatever becomes of its pictures.
        """
        use, session, call = self._use, self._session, self._call
        filmed = FilmedAction(
            action=action,
            index=index,
            run_id=call.run_id,
            call_id=call.call_id,
            approved_by=_approved_by(call) if index else None,
        )
        number = await use.films.begin(session, filmed)
        try:
            done = await self._desktop.act(action, self._seen)
        except ActionBrokeOff as error:
            await self._fail(number, filmed, f"{UNSETTLED} {error.message}")
            raise
        except CartritaError as error:
            await self._fail(number, filmed, error.message)
            raise
        except asyncio.CancelledError:
            with anyio.move_on_after(_LAST_S, shield=True):
                await self._fail(number, filmed, _STOPPED)
            raise
        self.held = done.held
        if (error := await self._store(number, filmed, done)) is not None:
            await self._done_unseen(number, filmed, error)
        elif not isinstance(action, LOOKS):
            use.memory.end_looks(session.id)
            self._seen = done.version
        elif not index or call_checks.only_looks(call.actions):  # else more was decided on before
            self._seen = done.version
        if self._seen == done.version:
            self._pictured = self._screen

    async def _store(self, number: int, filmed: FilmedAction, done: Done) -> CartritaError | None:
        """Film what was done; why that could not be stored."""
        try:
            self._screen = await self._use.films.done(self._session, number, filmed, done)
            await self._note(filmed.action, done)
        except CartritaError as error:
            return error
        except Exception:
            log.exception("desktop_not_filmed", desktop=self._session.id.hex)
            return Unavailable(_NO_PICTURE)
        return None

    async def _fail(self, number: int, filmed: FilmedAction, why: str) -> None:
        """Film why it was not done; what came of it is told also where that cannot be stored."""
        with suppress(CartritaError):
            await self._use.films.failed(self._session, number, filmed, why)

    async def _done_unseen(self, number: int, filmed: FilmedAction, error: CartritaError) -> None:
        """Have it end here, after what is done and could not be filmed. Raises for a look."""
        with suppress(CartritaError):  # it stays UNSETTLED, which is as true
            await self._use.films.unseen(self._session, number, filmed)
        if isinstance(filmed.action, LOOKS):
            raise error
        self._screen, self._unstored = None, error

    async def _let_go(self) -> None:
        """Let go of what is held, whoever knows of it, and tell of what is known."""
        self._dropped = _LET_GO if self.held else self._dropped
        self.held = frozenset[Button]()
        with suppress(CartritaError):  # a person has it, and it was let go; or it has ended
            await self._desktop.let_go()

    async def _note(self, action: Action, done: Done) -> None:
        if isinstance(action, CursorPosition) and done.pointer is not None:
            self._lines.append(f"X={done.pointer.x},Y={done.pointer.y}")
        if done.picture is not None and isinstance(action, Zoom):
            self._parts.append(await self._use.pictures.part(self._session, done.picture))

    def _require_time(self) -> None:
        """Raise ActionRefused when the time of the answer is over."""
        left = self._call.left()
        if left is not None and left <= 0:
            raise ActionRefused(f"It was stopped: {_TIME_IS_UP}.")

    async def _refused(self, why: str) -> DesktopOutcome:
        """Tell why an action was not done, and how the screen looks, if no person uses it now."""
        self._use.memory.end_looks(self._session.id)
        await self._let_go()
        try:
            await self._act(0, Screenshot())
        except Controlled:
            return await self._handed_back()
        except CartritaError as error:
            log.info("desktop_not_shown", code=error.code)
        return self._told(self._not_done(why), success=False, shows=True)

    def _not_done(self, why: str) -> str:
        """What was not done of the call, and why."""
        placed = self._placed(why)
        return f"Nothing was done. {why}" if placed == why else placed

    def _placed(self, why: str) -> str:
        """Why it ended at this action, with what was done before it in a call of several."""
        return call_accounts.not_done(self._index, len(self._call.actions), why)

    def _broke_off(self, error: ActionBrokeOff) -> CartritaError:
        """What is raised for it: where it only looked, nothing can have come of that."""
        action = self._call.actions[max(self._index, 1) - 1]
        if not self._index or isinstance(action, LOOKS):
            return Unavailable(self._placed(error.message))
        told = call_accounts.broke_off(self._index, len(self._call.actions), error.message)
        return ActionBrokeOff(told)

    async def _handed_back(self) -> DesktopOutcome:
        """Wait until the person has handed the desktop back, and tell the model to look."""
        await self._let_go()
        await self._call.progress("A person uses the desktop.", None)
        self._screen = None
        self._parts.clear()
        handed_back = await is_handed_back(
            self._use.sessions, self._session, self._desktop, self._use.limits
        )
        self._count_look(same=True)
        if handed_back:
            await self._call.progress("The desktop was handed back.", None)
            return self._told(self._not_done(_HANDED_BACK), success=False, shows=False)
        return self._told(self._not_done(_STILL_USED), success=False, shows=False)

    def _count_look(self, *, same: bool) -> None:
        """Raise AgentStuck for one look too many at the same."""
        looks = self._use.memory.count_look(self._session.id, self._call.run_id, same=same)
        if looks >= self._use.limits.looks_max:
            raise AgentStuck(
                f"The agent looked at the same screen {looks} times in a row and did nothing, so "
                "it was stopped. Try again, and say more closely what is to be done."
            )

    def _summary(self) -> str:
        done = len(self._call.actions)
        told = "Done." if done == 1 else f"{done} actions were done."
        return (
            "\n".join(self._lines) if self._lines and done == 1 else "\n".join([told, *self._lines])
        )

    def _told(self, text: str, *, success: bool, shows: bool) -> DesktopOutcome:
        if self._seen is not None:
            sight = Sight(self._seen, self._pictured)
            self._use.memory.see(self._session.id, self._call.agent, sight)
        wanted = shows or isinstance(self._call.actions[-1], Screenshot)
        files = list(self._parts)
        if wanted and self._screen is not None:
            files.append(self._screen)
        return DesktopOutcome(
            text=text + self._dropped,
            success=success,
            pictures=tuple(ids.public(ID_PREFIX, one) for one in files),
        )


def _approved_by(call: DesktopCall) -> str | None:
    approval = call.approval
    if approval is None or approval.decision is not Decision.APPROVED:
        return None
    return approval.decided_by
