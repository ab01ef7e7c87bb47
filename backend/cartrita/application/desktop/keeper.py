"""Ends the desktops whose time is over, and tells of those that died."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias

import anyio
import structlog
from anyio.abc import TaskGroup

from cartrita.application.desktop.memory import DesktopMemory
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.desktop import DesktopId, DesktopSession, DesktopStatus
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.ports.desktop_sessions import DesktopWatch, DueDesktop, WatchedDesktop
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

_DIED = "It died."
_START_GRACE_S = 30.0
"""Nobody starts one any more that has not started so long after it should have."""
_LET_GO_S: Final = 5.0
"""One that does not let go in so long, as behind what another run does, is asked again later."""

_Works: TypeAlias = Mapping[DesktopId, Callable[[], Awaitable[None]]]
"""What is to be done about desktops."""


class DesktopKeeper:
    """Runs in every worker process; that a desktop is ended twice does no harm.

    Each desktop is looked at by itself: one that stands still is waited for, and none of the others
    waits with it. It is not looked at again meanwhile.
    """

    def __init__(
        self,
        watch: DesktopWatch,
        sessions: DesktopSessions,
        memory: DesktopMemory,
        *,
        machine: str,
        start_s: float,
        interval_s: float,
    ) -> None:
        self._watch = watch
        self._sessions = sessions
        self._memory = memory
        self._machine = machine
        self._start = timedelta(seconds=start_s + _START_GRACE_S)
        self._interval_s = interval_s
        self._failure_logger = RepeatedFailures("desktop_keeper_failed")
        self._in_hand: set[DesktopId] = set()

    async def run(self) -> None:
        """Look every `interval_s` seconds until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                await self._guarded("look", partial(self._begin, tasks))
                await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """End what is to be ended now; returns when all of that is done."""
        async with anyio.create_task_group() as tasks:
            await self._guarded("look", partial(self._begin, tasks))

    async def _begin(self, tasks: TaskGroup) -> None:
        in_hand = frozenset(self._in_hand)  # what is read now of these may be over when it is read
        for desktop_id, work in (await self._works()).items():
            if desktop_id not in in_hand:
                self._in_hand.add(desktop_id)
                tasks.start_soon(self._do, desktop_id, work)

    async def _do(self, desktop_id: DesktopId, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._guarded(desktop_id.hex, work)
        finally:
            self._in_hand.discard(desktop_id)

    async def _guarded(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do it; that it fails is logged, and it is tried again."""
        try:
            await work()
        except CartritaError as error:
            log.warning("desktop_keeper_failed", code=error.code)
        except Exception as error:
            self._failure_logger.exception(name, error=error)
        else:
            self._failure_logger.forget(name)

    async def _works(self) -> _Works:
        """What is to be done now. Of one that is due, nothing else is."""
        due = await self._watch.due(self._machine)
        known = self._memory.known
        running = await self._watch.running_on(self._machine)
        for desktop_id in known - {watched.session.id for watched in running}:
            self._memory.forget(desktop_id)  # another worker has ended it
        return {
            **{one: partial(self._stop, one) for one in await self._lost()},
            **{watched.session.id: partial(self._look_at, watched) for watched in running},
            **{one.session.id: partial(self._end, one) for one in due},
        }

    async def _lost(self) -> Sequence[DesktopId]:
        """Those that were lost; none where that cannot be told now, for which no other waits."""
        found: list[DesktopId] = []

        async def find() -> None:
            found.extend(await self._sessions.lost())

        await self._guarded("lost", find)
        return found

    async def _end(self, due: DueDesktop) -> None:
        await self._sessions.end(due.session, due.reason)
        log.info("desktop_ended", desktop=due.session.id.hex, reason=due.reason)

    async def _stop(self, desktop_id: DesktopId) -> None:
        await self._sessions.stop(desktop_id)
        log.warning("desktop_lost", desktop=desktop_id.hex)

    async def _look_at(self, watched: WatchedDesktop) -> None:
        session = watched.session
        if await self._is_dead(watched):
            await self._sessions.forget(session, _DIED)
            log.warning("desktop_died", desktop=session.id.hex)
        elif session.status is DesktopStatus.READY:
            with anyio.move_on_after(_LET_GO_S):
                await self._let_go(session)

    async def _let_go(self, session: DesktopSession) -> None:
        """Let go of what a run holds that has ended, as where its worker died and nobody told."""
        try:
            desktop = self._sessions.found(session)
            run_id = await desktop.held_by()
            if run_id is not None and await self._watch.has_ended(run_id):
                await desktop.let_go(run_id)
        except CartritaError as error:  # a person has it, or it has ended, or is asked again
            log.info("desktop_not_let_go", desktop=session.id.hex, code=error.code)

    async def _is_dead(self, watched: WatchedDesktop) -> bool:
        session = watched.session
        if session.status is DesktopStatus.STARTING:
            return watched.age > self._start or not await self._sessions.is_begun(session)
        try:
            return await self._sessions.is_dead(session)
        except Unavailable:  # this worker cannot find out now
            return False
