"""Checks of the database that must pass before a server starts."""

import hmac
from typing import Any, cast

import asyncpg
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.runs import installation
from cartrita.kit.operator_error import OperatorError

_CONNECT_ERRORS = {
    "28": "it refuses this user or this password",
    "3D000": "the server has no such database",
    "53300": "the server has no connection left",
    "57P": "the server is starting or stopping",
}
"""By SQLSTATE or its class."""
_AVAILABLE_CONNECTIONS = text(
    "SELECT current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
)


class DatabaseUnreachable(OperatorError):
    """The database of CARTRITA_DATABASE_URL cannot be used; the text never holds its password."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The database that CARTRITA_DATABASE_URL names cannot be used, since {reason}: "
            "correct the setting, or see to the database."
        )


class TooFewConnections(OperatorError):
    """The workers' connection pools exceed the database's limit."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"The workers may need {needed} database connections and the database allows "
            f"{available}: lower CARTRITA_WORKERS or CARTRITA_DATABASE_POOL_SIZE, or raise "
            "max_connections of the database."
        )


class SecretMismatch(OperatorError):
    """The keys of this database were made with another CARTRITA_SECRET."""

    def __init__(self) -> None:
        super().__init__(
            "This database belongs to a server with another CARTRITA_SECRET: its keys and cookies "
            "would not be recognised. Give every replica the same CARTRITA_SECRET (the first "
            "server keeps its own in the file `secret` of its data directory)."
        )


async def require_reachable(dsn: str, timeout_s: float) -> None:
    """Connect and disconnect. Raises DatabaseUnreachable."""
    try:
        connection: Any = await cast("Any", asyncpg).connect(dsn, timeout=timeout_s)
        await connection.close(timeout=timeout_s)
    except TimeoutError:
        raise DatabaseUnreachable(f"it does not answer within {timeout_s:g} s") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DatabaseUnreachable(f"nothing answers there ({reason})") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise DatabaseUnreachable(_reason(error)) from None


async def require_connections(database: Database, needed: int) -> None:
    """Raises TooFewConnections where the database allows fewer than `needed`."""
    async with database.use() as connection:
        available = int(await connection.scalar(_AVAILABLE_CONNECTIONS) or 0)
    if needed > available:
        raise TooFewConnections(needed, available)


async def require_same_secret(database: Database, secret_digest: bytes) -> None:
    """Store the digest at the first start, compare it later. Raises SecretMismatch."""
    async with database.transaction() as connection:
        await connection.execute(
            insert(installation).values(secret_digest=secret_digest).on_conflict_do_nothing()
        )
        known = await connection.scalar(select(installation.c.secret_digest))
    if known is None or not hmac.compare_digest(known, secret_digest):
        raise SecretMismatch


def _reason(error: Exception) -> str:
    state = cast("str | None", getattr(error, "sqlstate", None)) or ""
    known = (reason for prefix, reason in _CONNECT_ERRORS.items() if state.startswith(prefix))
    return next(known, f"connecting fails ({type(error).__name__} {state}".rstrip() + ")")
