"""The connections to providers that wait for their next request, and how new ones are made."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeAlias

import structlog
from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType] - it is typed in part

from cartrita.adapters.http.connection import HttpConnection
from cartrita.adapters.http.name_lookups import NameLookups
from cartrita.adapters.http.targets import Origin

_KEEP_IDLE_SECONDS = 30.0
_NEXT_ADDRESS_SECONDS = 0.25
"""How long an address may keep silent before the next one is tried too (RFC 8305)."""

CheckAddresses: TypeAlias = Callable[[Origin, Sequence[str]], None]
"""Raises CartritaError for an origin whose name stands for an address that is not to be called."""

log = structlog.get_logger(__name__)


class HttpPool:
    """Connections by origin, without a limit; the one that was used last is taken first.

    With `check` a connection is made only to addresses that it has seen: those of a name may change
    from one look-up to the next.
    """

    def __init__(self, check: CheckAddresses | None = None) -> None:
        self._check = check
        self._idle: dict[Origin, list[HttpConnection]] = {}
        self._lookups = NameLookups()
        self._loop = asyncio.get_running_loop()
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._closed = False

    def idle(self, origin: Origin) -> HttpConnection | None:
        """A connection that is open already."""
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            connection.idle_since = None
            if connection.usable:
                return connection
        return None

    async def connect(self, origin: Origin) -> HttpConnection:
        """A new connection. Raises OSError, of which ssl.SSLError and socket.gaierror are kinds.

        Raises CartritaError for addresses that the check refuses.
        """
        connected = await self.socket(origin)
        _, connection = await self._loop.create_connection(
            HttpConnection,
            sock=connected,
            ssl=self.encryption if origin.encrypted else None,
            server_hostname=origin.host if origin.encrypted else None,
        )
        return connection

    async def socket(self, origin: Origin) -> socket.socket:
        """A new connection without anything on it. Raises what `connect` raises."""
        addresses = await self._lookups.addresses(origin)
        if self._check is not None:
            self._check(origin, [str(address[4][0]) for address in addresses])
        return await start_connection(
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1, loop=self._loop
        )

    def give_back(self, origin: Origin, connection: HttpConnection) -> None:
        """Keep a connection, whose exchange has ended, for a while.

        One that still has an exchange, or is here already, has two owners: it is closed, because
        one of them would read what the other asked for.
        """
        if connection.busy or connection.idle_since is not None:
            log.error("upstream_connection_given_back_twice", host=origin.host)
            connection.abort()
            return
        if self._closed:
            connection.abort()
            return
        connection.idle_since = self._loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_later(_KEEP_IDLE_SECONDS, self._sweep)

    def close(self) -> None:
        """Close all that are idle, and from now on all that are given back."""
        self._closed = True
        self._lookups.close()
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    def _sweep(self) -> None:
        """Close those that were idle for long, and look again later if others remain."""
        self._sweep_timer = None
        oldest = self._loop.time() - _KEEP_IDLE_SECONDS
        for origin, connections in list(self._idle.items()):
            for connection in connections:
                if connection.idle_since is None or connection.idle_since <= oldest:
                    connection.abort()
            usable = [one for one in connections if one.usable]
            if usable:
                self._idle[origin] = usable
            else:
                del self._idle[origin]
        if self._idle:
            self._sweep_timer = self._loop.call_later(_KEEP_IDLE_SECONDS / 2, self._sweep)

    @cached_property
    def encryption(self) -> ssl.SSLContext:
        """How encrypted connections are made."""
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context
