"""Connections of the run log: a pool for short work, links of their own for what must not wait."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeAlias, cast

import asyncpg
import msgspec
import structlog

from cartrita.domain.errors import StorageFull, Unavailable

log = structlog.get_logger()

Cell: TypeAlias = Any
"""A value as asyncpg hands it out; jsonb comes and goes as text."""
Row: TypeAlias = Mapping[str, Cell]
Listener: TypeAlias = Callable[[object, int, str, object], None]


class Connection(Protocol):
    """What the run log uses of an asyncpg connection, which is untyped itself."""

    async def execute(self, query: str, *args: object) -> str: ...

    async def fetch(self, query: str, *args: object) -> list[Row]: ...

    async def fetchrow(self, query: str, *args: object) -> Row | None: ...

    async def fetchval(self, query: str, *args: object) -> Cell: ...

    def transaction(self) -> AbstractAsyncContextManager[object]: ...


class OwnConnection(Connection, Protocol):
    """One that is not shared through a pool."""

    def is_closed(self) -> bool: ...

    def terminate(self) -> None: ...

    def get_server_pid(self) -> int: ...

    async def add_listener(self, channel: str, callback: Listener) -> None: ...


class _Pool(Protocol):
    def acquire(self, *, timeout: float) -> AbstractAsyncContextManager[Connection]: ...


OUTAGE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the pool's, for a connection that broke in its hands
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OutOfMemoryError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
)
"""The database is away, starting, full, a standby, too slow or in a deadlock: it may come back."""


class Opening(msgspec.Struct, frozen=True):
    """In seconds: for connecting, for one statement, and for a transaction that does nothing."""

    connect_s: float
    statement_s: float
    idle_s: float

    @property
    def session(self) -> dict[str, str]:
        """What the server enforces, for a process that cannot: it may be frozen, or cut off."""
        return {
            "application_name": "cartrita",
            "statement_timeout": _milliseconds(self.statement_s),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_s),
            "jit": "off",
        }


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))  # 0 would be no limit


async def connect(dsn: str, opening: Opening) -> OwnConnection:
    """A connection whose abandoned transactions end by themselves."""
    connecting = cast("Any", asyncpg).connect
    connection: OwnConnection = await connecting(
        dsn,
        timeout=opening.connect_s,
        command_timeout=opening.statement_s,
        server_settings=opening.session,
    )
    return connection


class Link:
    """One connection of its own, made again after an outage."""

    def __init__(self, dsn: str, opening: Opening) -> None:
        self._dsn = dsn
        self._opening = opening
        self._connection: OwnConnection | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[OwnConnection]:
        """The connection, for one user at a time; dropped where its use fails by an outage."""
        async with self._lock:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._dsn, self._opening)
            try:
                yield self._connection
            except (*OUTAGE, asyncio.CancelledError):
                self._connection.terminate()
                raise

    def interrupt(self) -> None:
        """Break the connection off, whoever waits for an answer on it."""
        if self._connection is not None:
            self._connection.terminate()


class Database:
    """The pool, with an outage told as Unavailable within `wait_s`."""

    def __init__(self, pool: _Pool, *, wait_s: float) -> None:
        self._pool = pool
        self._wait_s = wait_s

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, dsn: str, opening: Opening, *, size: int, wait_s: float
    ) -> AsyncGenerator["Database"]:
        """A pool of at most `size` connections, opened lazily and closed at the end."""
        pool = cast("Any", asyncpg).create_pool(
            dsn,
            min_size=0,
            max_size=size,
            timeout=opening.connect_s,
            command_timeout=opening.statement_s,
            server_settings=opening.session,
        )
        async with pool:
            yield cls(pool, wait_s=wait_s)

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[Connection]:
        """A connection for short work; raises Unavailable where the database is away."""
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                yield connection
        except OUTAGE as error:
            log.warning("database_away", error=type(error).__name__)
            raise Unavailable(
                "The database cannot be reached right now; try again in a moment.", retry_after=1
            ) from error
        except asyncpg.DiskFullError as error:
            raise StorageFull(
                "The server's disk is full; nothing was stored. Free some space and try again."
            ) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """The same, inside one transaction."""
        async with self.use() as connection, connection.transaction():
            yield connection
