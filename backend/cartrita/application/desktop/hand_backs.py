"""Waits until a person hands a desktop back."""

import asyncio

import structlog

from cartrita.application.desktop.action_limits import ActionLimits
from cartrita.application.desktop.sessions import DesktopSessions
from cartrita.domain.desktop import CursorPosition, DesktopSession
from cartrita.domain.desktop_errors import Controlled
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.desktop import Desktop

log = structlog.get_logger(__name__)


async def is_handed_back(
    sessions: DesktopSessions, session: DesktopSession, desktop: Desktop, limits: ActionLimits
) -> bool:
    """Whether the person hands it back while an agent waits."""
    try:
        async with asyncio.timeout(limits.handover_s):
            while True:
                await asyncio.sleep(limits.poll_s)
                found = await sessions.of_conversation(session.conversation_id)
                if found is None or (found.control is None and await _is_free(desktop)):
                    return True
    except TimeoutError:
        return False


async def _is_free(desktop: Desktop) -> bool:
    """Whether the desktop itself knows of nobody who has it, whatever is stored."""
    try:
        await desktop.act(CursorPosition())
    except Controlled:
        return False
    except CartritaError as error:  # the next call is told
        log.info("desktop_not_asked", code=error.code)
    return True
