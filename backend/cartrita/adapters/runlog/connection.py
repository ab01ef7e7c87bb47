"""Connections of the run log: a pool for short work, dedicated ones for work that must not wait."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeAlias, cast

import asyncpg
import msgspec
import structlog

from cartrita.domain.errors import Busy, StorageFull, TookTooLong, Unavailable
from cartrita.kit.pool_use import PoolUse

log = structlog.get_logger(__name__)

Cell: TypeAlias = Any
"""A value as asyncpg returns it; jsonb is passed as text."""
Row: TypeAlias = Mapping[str, Cell]
NotificationCallback: TypeAlias = Callable[[object, int, str, object], None]


class Connection(Protocol):
    """The part of asyncpg.Connection that the run log uses; asyncpg itself is untyped."""

    async def execute(self, query: str, *args: object) -> str: ...

    async def executemany(self, query: str, rows: Sequence[Sequence[object]]) -> None: ...

    async def fetch(self, query: str, *args: object) -> list[Row]: ...

    async def fetchrow(self, query: str, *args: object) -> Row | None: ...

    async def fetchval(self, query: str, *args: object) -> Cell: ...

    def transaction(self) -> AbstractAsyncContextManager[object]: ...


class PooledConnection(Connection, Protocol):
    """A connection of a pool, which can also be terminated."""

    def terminate(self) -> None: ...


class UnpooledConnection(PooledConnection, Protocol):
    """A connection outside the pool, which can also listen."""

    def is_closed(self) -> bool: ...

    def get_server_pid(self) -> int: ...

    async def add_listener(self, channel: str, callback: NotificationCallback) -> None: ...


class _AsyncpgPool(Protocol):
    def acquire(self, *, timeout: float) -> AbstractAsyncContextManager[PooledConnection]: ...

    def get_size(self) -> int: ...

    def get_idle_size(self) -> int: ...

    def get_max_size(self) -> int: ...


TRANSIENT_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # raised by the pool for a connection that broke
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
"""Errors after which a later try may succeed.

The database is unreachable, starting, out of connections or memory, a standby, too slow, or had a
deadlock.
"""


RACE_ERRORS = (asyncpg.UniqueViolationError, asyncpg.CheckViolationError)
"""Errors after which one retry may succeed.

An earlier try was committed, a concurrent request was first, or a partition is new.
"""


class Timeouts(msgspec.Struct, frozen=True):
    """Timeouts of a connection in seconds: connecting, one statement, an idle transaction."""

    connect_s: float
    statement_s: float
    idle_s: float

    @property
    def server_settings(self) -> dict[str, str]:
        """Timeouts that the server enforces even if this process is frozen or unreachable."""
        return {
            "application_name": "cartrita",
            "statement_timeout": _milliseconds(self.statement_s),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_s),
            "jit": "off",
        }


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))  # 0 would be no limit


async def connect(dsn: str, timeouts: Timeouts) -> UnpooledConnection:
    """Connect with timeouts that end abandoned transactions."""
    connecting = cast("Any", asyncpg).connect
    connection: UnpooledConnection = await connecting(
        dsn,
        timeout=timeouts.connect_s,
        command_timeout=timeouts.statement_s,
        server_settings=timeouts.server_settings,
    )
    return connection


class DedicatedConnection:
    """One connection for one purpose, reopened after it broke."""

    def __init__(self, dsn: str, timeouts: Timeouts) -> None:
        self._dsn = dsn
        self._opening = timeouts
        self._connection: UnpooledConnection | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def acquire(self) -> AsyncGenerator[UnpooledConnection]:
        """The connection, for one task at a time; closed if its use raises a transient error."""
        async with self._lock:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._dsn, self._opening)
            try:
                yield self._connection
            except (*TRANSIENT_ERRORS, asyncio.CancelledError):
                self._connection.terminate()
                raise

    def interrupt(self) -> None:
        """Terminate the connection, also while a query is running on it."""
        if self._connection is not None:
            self._connection.terminate()


async def _leave_session(connection: Connection) -> None:
    """Send no reset query when a connection is released: a tenth of an admission's round trips.

    Pooled connections set nothing for their session; asyncpg itself ends an open transaction.
    """


@contextmanager
def _ended_after(seconds: float | None, connection: PooledConnection) -> Generator[None]:
    """End a connection that is in use for longer, which raises TookTooLong in its user.

    A cancelled statement would wait for the answer of a database that gives none.
    """
    if seconds is None:
        yield
        return
    loop = asyncio.get_running_loop()
    ending = loop.call_later(seconds, connection.terminate)
    try:
        yield
    except TRANSIENT_ERRORS as error:
        if loop.time() < ending.when():
            raise
        raise _too_slow() from error
    finally:
        ending.cancel()


def _too_slow() -> TookTooLong:
    log.warning("database_slow")
    return TookTooLong.of_database()


class _Uses:
    """How often a connection of a pool was used with success."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class ConnectionPool:
    """Pooled connections. Transient errors become Unavailable.

    So does a wait of `wait_s` seconds for one; a use of more than `use_s` seconds is TookTooLong.
    Where others used one in that wait, the database is well, and the error is Busy.
    """

    def __init__(
        self,
        pool: _AsyncpgPool,
        *,
        wait_s: float,
        use_s: float | None = None,
        uses: _Uses | None = None,
    ) -> None:
        self._pool = pool
        self._wait_s = wait_s
        self._use_s = use_s
        self._uses = uses or _Uses()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, timeouts: Timeouts, *, size: int, wait_s: float
    ) -> AsyncGenerator["ConnectionPool"]:
        """Open a pool of at most `size` connections, made on demand and closed at the end."""
        pool = cast("Any", asyncpg).create_pool(
            dsn,
            min_size=0,
            max_size=size,
            timeout=timeouts.connect_s,
            command_timeout=timeouts.statement_s,
            server_settings=timeouts.server_settings,
            reset=_leave_session,
        )
        async with pool:
            yield cls(pool, wait_s=wait_s)

    @property
    def in_use(self) -> PoolUse:
        """How many connections there are now."""
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return PoolUse(used=size - idle, idle=idle, most=self._pool.get_max_size())

    def within(self, use_s: float) -> "ConnectionPool":
        """The same connections, none of which is used for longer than `use_s` seconds."""
        return ConnectionPool(self._pool, wait_s=self._wait_s, use_s=use_s, uses=self._uses)

    @asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Connection]:
        """A connection for short work. Raises Unavailable, TookTooLong, Busy and StorageFull."""
        uses, acquired = self._uses.count, False
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                acquired = True
                with _ended_after(self._use_s, connection):
                    yield connection
                self._uses.count += 1
        except asyncpg.QueryCanceledError as error:
            raise _too_slow() from error
        except TRANSIENT_ERRORS as error:
            if isinstance(error, TimeoutError) and not acquired and self._uses.count > uses:
                log.warning("database_pool_full")
                raise Busy.now() from error
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
        """A connection inside one transaction. Raises as `acquire` does."""
        async with self.acquire() as connection, connection.transaction():
            yield connection
