"""Changes of who may do what, by any process: implements AccessChanges.

A trigger on the tables of keys, users, tenants, credentials and budgets notifies at once; what it
counts is polled, for lost notifications.
"""

import asyncio
import math
import time

from cartrita.adapters.runlog.connection import Connection

CHANNEL = "cartrita_access"


class AccessFeed:
    """What the listener learns of changes, for the one task that waits for them."""

    def __init__(self, *, poll_s: float) -> None:
        self._poll_s = poll_s
        self._polled_at = -math.inf  # a machine that has just started counts from 0
        self._version: int | None = None
        self._changed = asyncio.Event()

    async def wait(self) -> None:
        """See AccessChanges."""
        await self._changed.wait()
        self._changed.clear()

    def notify(self, _connection: object, _pid: int, _channel: str, _load: object) -> None:
        """A notification has arrived."""
        self._changed.set()

    async def poll(self, connection: Connection) -> None:
        """Read the count of changes, if it is time to."""
        now = time.monotonic()
        if now - self._polled_at < self._poll_s:
            return
        version = await connection.fetchval("SELECT version FROM access_version")
        self._polled_at = now
        if version != self._version:
            self._version = version
            self._changed.set()
