"""The database connection pool of one worker."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.adapters.persistence.database import Database
from cartrita.settings import Settings


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
