"""Ends the desktops whose time is over, and tells of those that died."""

import asyncio
from datetime import timedelta

import structlog

from cartrita.application.desktop.memory import DesktopMemory
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.desktop import DesktopSession, DesktopStatus
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.ports.desktop_sessions import DesktopWatch, WatchedDesktop
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger()

_DIED = "It died."
_START_GRACE_S = 30.0
"""Nobody starts one any more that has not started so long after it should have."""


class DesktopKeeper:
    """Runs in every worker process; that a desktop is ended twice does no harm."""

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

    async def run(self) -> None:
        """Look every `interval_s` seconds until cancelled."""
        while True:
            try:
                await self.look()
            except CartritaError as error:
                log.warning("desktop_keeper_failed", code=error.code)
            except Exception as error:
                self._failure_logger.exception("look", error=error)
            else:
                self._failure_logger.forget("look")
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """End what is to be ended now."""
        for due in await self._watch.due(self._machine):
            await self._sessions.end(due.session, due.reason)
            log.info("desktop_ended", desktop=due.session.id.hex, reason=due.reason)
        known = self._memory.known
        running = await self._watch.running_on(self._machine)
        for desktop_id in known - {watched.session.id for watched in running}:
            self._memory.forget(desktop_id)  # another worker has ended it
        for watched in running:
            if await self._is_dead(watched):
                await self._sessions.forget(watched.session, _DIED)
                log.warning("desktop_died", desktop=watched.session.id.hex)
            elif watched.session.status is DesktopStatus.READY:
                await self._let_go(watched.session)
        for desktop_id in await self._sessions.end_lost():
            log.warning("desktop_lost", desktop=desktop_id.hex)

    async def _let_go(self, session: DesktopSession) -> None:
        """Let go of what a run holds that has ended, as where its worker died and nobody told."""
        try:
            desktop = await self._sessions.opened(session)
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
