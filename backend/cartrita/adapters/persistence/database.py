"""The connection pool (SQLAlchemy Core, asyncpg), and the translation of its errors."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, cast

import asyncpg
import msgspec
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from cartrita.domain.errors import Busy, CartritaError, StorageFull, TookTooLong, Unavailable
from cartrita.kit.pool_use import PoolUse

log = structlog.get_logger(__name__)

# What asyncpg raises besides the server's own errors, for a connection that broke at a bad moment
# or is broken already. A TimeoutError is an OSError.
_LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_DISK_FULL = "53100"
_TOOK_TOO_LONG = "57014"
# By SQLSTATE or its class: connection lost (08), refused (28, 3D), shutting down (57P), too many
# connections (53300), out of memory (53200), a standby (25006), idle too long (25P03), a lock that
# took too long (55P03), a deadlock or serialisation failure (40).
_UNAVAILABLE = ("08", "28", "3D", "57P", "53300", "53200", "25006", "25P03", "55P03", "40")


class Database:
    """A pool of `pool_size` connections to one database.

    Raises Unavailable where no connection could be had within `pool_wait_s` (connecting included),
    or where one was lost in use; TookTooLong where a statement did; Busy where others used all of
    them in that wait; StorageFull where the disk is full.
    """

    def __init__(
        self,
        dsn: str,
        *,
        pool_size: int = 10,
        pool_wait_s: float = 2.0,
        statement_timeout_s: float = 15.0,
        idle_in_transaction_s: float = 5.0,
        application_name: str = "cartrita",
    ) -> None:
        self._pool_wait_s = pool_wait_s
        self._uses = 0  # with success
        session = {
            "application_name": application_name,
            "statement_timeout": _milliseconds(statement_timeout_s),
            "idle_in_transaction_session_timeout": _milliseconds(idle_in_transaction_s),
            "jit": "off",  # compiling costs more than any of our statements
        }
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=_connector(dsn, session, answer_s=statement_timeout_s + 0.5),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_wait_s,
            pool_use_lifo=True,
            hide_parameters=True,  # an error must not carry what people wrote
            json_serializer=dump,
            json_deserializer=_undecoded,
        )
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self._engine.sync_engine, "checkout", _discard_closed)

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for single statements, each committed in one round trip."""
        with _translated_errors():
            async with self._acquired(self._single) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction, committed at the end unless something raises."""
        with _translated_errors():
            async with self._acquired(self._engine) as connection, connection.begin():
                yield connection

    @property
    def in_use(self) -> PoolUse:
        """How many connections there are now."""
        pool = cast("QueuePool", self._engine.pool)
        return PoolUse(used=pool.checkedout(), idle=pool.checkedin(), most=pool.size())

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def _acquired(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            uses = self._uses
            try:
                async with asyncio.timeout(self._pool_wait_s):  # for the pool, and to connect
                    connection = await stack.enter_async_context(engine.connect())
            except (TimeoutError, PoolTimeout):
                if self._uses == uses:
                    raise
                log.warning("database_pool_full")
                raise Busy.now() from None
            yield connection
            self._uses += 1


def dump(value: object) -> str:
    """JSON text for a jsonb column."""
    return msgspec.json.encode(value).decode()


def _undecoded(text: str) -> str:
    # Each table decodes its own columns, typed, with msgspec.
    return text


def _connector(
    dsn: str, session: dict[str, str], *, answer_s: float
) -> Callable[[], Coroutine[object, object, object]]:
    """Connect with asyncpg's own parsing of the DSN: sslmode, several hosts, sockets.

    The server cancels slow statements; `answer_s` is for a server that does not answer.
    """

    async def connect() -> object:
        opening = cast("Any", asyncpg).connect
        return await opening(dsn, command_timeout=answer_s, server_settings=session)

    return connect


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))


def _discard_closed(connection: object, record: object, proxy: object) -> None:
    """A restarted server closes its connections: replace them without asking over the network."""
    if cast("Any", connection).driver_connection.is_closed():
        raise DisconnectionError


@contextmanager
def _translated_errors() -> Generator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout, asyncpg.PostgresError, *_LOST) as e:
        error = _domain_error(e)
        if error is None:
            raise
        raise error from e


def _domain_error(error: Exception) -> CartritaError | None:
    """The domain's error for a failure of the database; None for a bug of ours."""
    lost = isinstance(error, (PoolTimeout, InterfaceError, *_LOST))
    origin: object = error
    if isinstance(error, DBAPIError):
        lost, origin = lost or error.connection_invalidated, error.orig
    state = cast("str | None", getattr(origin, "sqlstate", None)) or ""
    if state == _DISK_FULL:
        log.error("database_disk_full")
        return StorageFull(
            "The server's disk is full; nothing was stored. Free some space and try again."
        )
    if state == _TOOK_TOO_LONG:
        log.warning("database_slow")
        return TookTooLong.of_database()
    if lost or state.startswith(_UNAVAILABLE):
        log.warning("database_away", error=type(error).__name__, sqlstate=state)
        return Unavailable(
            "The database cannot be reached right now; try again in a moment.", retry_after=1
        )
    return None
