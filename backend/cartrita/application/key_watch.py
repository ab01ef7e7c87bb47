"""Notices what other processes change in keys, and cuts the connections of keys that end."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

import structlog

from cartrita.application.api_keys import ApiKeys
from cartrita.application.open_connections import OpenConnections
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.access import AccessChanges
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger()


class KeyWatch:
    """Reads keys again when something changed, and looks every `sweep_s` for those that expired.

    While the database is away, keys stay as they were known. `others` read what else changes by the
    same signal.
    """

    def __init__(
        self,
        keys: ApiKeys,
        connections: OpenConnections,
        changes: AccessChanges,
        *,
        sweep_s: float,
        others: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._keys = keys
        self._connections = connections
        self._changes = changes
        self._sweep_s = sweep_s
        self._others = others
        self._failure_logger = RepeatedFailures("keys_not_refreshed")

    async def run(self) -> None:
        """Watch until cancelled."""
        changed = False
        while True:
            try:
                async with asyncio.timeout(self._sweep_s):
                    await self._changes.wait()
                    changed = True
            except TimeoutError:
                pass
            changed = changed or self._keys.any_unknown(self._connections.key_ids)
            gone = await self._refresh() if changed else ()
            changed = gone is None
            cut = self._connections.cut(partial(self._keys.ended, gone=gone or ()))
            if cut:
                log.info("connections_cut", connections=cut)

    async def _refresh(self) -> Collection[str] | None:
        """Read keys again. Returns those that are gone; None if they could not be read."""
        try:
            gone = await self._keys.known.refresh(self._connections.key_ids)
            for refresh in self._others:
                await refresh()
        except CartritaError as error:
            log.warning("keys_not_refreshed", code=error.code)
        except Exception as error:  # this is tried again; to stop would cut everyone
            self._failure_logger.exception("refresh", error=error)
        else:
            return gone
        return None
