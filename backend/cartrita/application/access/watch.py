"""Notices what any process changes in who may do what, and cuts what is held by keys that end."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import TypeAlias

import structlog

from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.open_connections import OpenConnections
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.access import AccessChanges
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)

Refresh: TypeAlias = Callable[[], Awaitable[None]]
"""Reads again what one part of the server knows of the database."""


class AccessWatch:
    """Reads keys again when something changed, and looks every `sweep_s` for those that expired.

    While the database is away, keys stay as they were known. `others` are what else changes by the
    same signal, by name: each is read even if another one cannot be.
    """

    def __init__(
        self,
        keys: KeyAuthentication,
        known: KnownKeys,
        connections: OpenConnections,
        changes: AccessChanges,
        *,
        sweep_s: float,
        others: Mapping[str, Refresh] | None = None,
    ) -> None:
        self._keys = keys
        self._known = known
        self._connections = connections
        self._changes = changes
        self._sweep_s = sweep_s
        self._refreshes: Mapping[str, Refresh] = {"keys": self._refresh_keys, **(others or {})}
        self._failure_logger = RepeatedFailures("access_not_refreshed")

    async def run(self) -> None:
        """Watch until cancelled."""
        unread = False
        while True:
            changed = await self._notice() or unread
            if changed or self._keys.any_unknown(self._connections.key_ids):
                unread = not await self._refresh()
            self._cut()

    async def _notice(self) -> bool:
        """Whether something has changed before it was time to look for what expired."""
        try:
            async with asyncio.timeout(self._sweep_s):
                await self._changes.wait()
                return True
        except TimeoutError:
            return False

    async def _refresh(self) -> bool:
        """Read everything again, keys first; whether all could be read."""
        read = [await self._try(name, refresh) for name, refresh in self._refreshes.items()]
        return all(read)

    async def _try(self, name: str, refresh: Refresh) -> bool:
        try:
            await refresh()
        except CartritaError as error:
            log.warning("access_not_refreshed", part=name, code=error.code)
        except Exception as error:  # this is tried again; to stop would cut everyone
            self._failure_logger.exception(name, error=error)
        else:
            return True
        return False

    async def _refresh_keys(self) -> None:
        self._cut(await self._known.refresh(self._connections.key_ids))

    def _cut(self, gone: Collection[str] = ()) -> None:
        """Cut what is held by keys that have ended, and by those that are `gone`."""
        cut = self._connections.cut(partial(self._keys.ended, gone=gone))
        if cut:
            log.info("connections_cut", connections=cut)
