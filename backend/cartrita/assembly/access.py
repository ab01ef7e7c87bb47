"""Who may come in, and the database that knows them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.keys import KeyTable
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.application.keys import Keys
from cartrita.application.sessions import Sessions
from cartrita.kit.derivation import derive
from cartrita.kit.secret import Secret
from cartrita.settings import Settings


@asynccontextmanager
async def database_at(settings: Settings, dsn: str) -> AsyncGenerator[Database]:
    """The pool of everything but the run log."""
    given = settings.database
    database = Database(
        sqlalchemy_url(dsn),
        pool_size=given.pool_size,
        pool_wait_s=given.pool_wait_s,
        statement_timeout_s=given.statement_timeout_s,
        idle_in_transaction_s=given.idle_in_transaction_s,
    )
    try:
        yield database
    finally:
        await database.close()


def access(database: Database, secret: Secret, settings: Settings) -> tuple[Keys, Sessions]:
    """The use cases of keys, and of what stands in for them."""
    given = settings.auth
    keys = Keys(
        KeyTable(database),
        derive(secret, "pepper"),
        given.bootstrap_key,
        keyless=given.mode == "loopback",
    )

    tickets = TicketTable(database)
    sessions = Sessions(
        tickets,
        keys,
        derive(secret, "sessions"),
        tickets.started,
        session_s=given.session_s,
        ticket_s=given.ticket_s,
        sign_in_code_s=given.sign_in_code_s,
    )
    return keys, sessions


def sqlalchemy_url(dsn: str) -> str:
    """The same database for SQLAlchemy, which would take plain `postgresql://` for psycopg."""
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
