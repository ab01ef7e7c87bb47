"""The database connection pool, and the number of connections that a server needs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.adapters.persistence.database import Database
from cartrita.settings import Settings

_RUN_LOG_CONNECTIONS = 3
"""Those of the run log's writer, heartbeat and listener, so that no request can block them."""
_SPARE_CONNECTIONS = 5
"""For `cartrita keys`, `cartrita backup` and a person with psql."""


@asynccontextmanager
async def open_connection_pool(settings: Settings, dsn: str) -> AsyncGenerator[Database]:
    """The pool of one worker for everything except the run log, which has its own."""
    config = settings.database
    database = Database(
        dsn,
        pool_size=config.pool_size,
        pool_wait_s=config.pool_wait_s,
        statement_timeout_s=config.statement_timeout_s,
        idle_in_transaction_s=config.idle_in_transaction_s,
    )
    try:
        yield database
    finally:
        await database.close()


def connection_count(settings: Settings) -> int:
    """The most connections that all workers open at once, and some spare ones."""
    pools = 2 * settings.database.pool_size  # one for requests, one for the run log
    return settings.server.workers * (pools + _RUN_LOG_CONNECTIONS) + _SPARE_CONNECTIONS
