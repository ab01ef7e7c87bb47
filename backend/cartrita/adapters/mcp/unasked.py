"""What a server sends that answers nothing: so much of it is taken."""

import time
from typing import Final

import structlog

_MOST_UNASKED: Final = 6000
"""Of a minute. The SDK starts a task for each message, 0.2 ms; a tool that tells its progress ten
times a second needs 600."""
_MINUTE: Final = 60.0

log = structlog.get_logger(__name__)


class Unasked:
    """Counts what one server sends in a minute and was not asked for."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._count = 0
        self._since = time.monotonic()

    def exceeded(self) -> bool:
        """Count one more, and tell whether the connection is to end because of it."""
        now = time.monotonic()
        if now - self._since > _MINUTE:
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= _MOST_UNASKED:
            return False
        log.warning("tool_server_floods", server=self._server)
        return True
