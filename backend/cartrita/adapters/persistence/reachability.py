"""Whether a configured database lets us in, asked before anything else is asked of it."""

from typing import Any, cast

import asyncpg

_REFUSALS = {
    "28": "it refuses this user or this password",
    "3D000": "the server has no such database",
    "53300": "the server has no connection left",
    "57P": "the server is starting or stopping",
}
"""By SQLSTATE or its class."""


class DatabaseUnreachable(Exception):
    """The database of CARTRITA_DATABASE_URL cannot be used; the text never holds its password."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The database that CARTRITA_DATABASE_URL names cannot be used, since {reason}: "
            "correct the setting, or see to the database."
        )


async def require_reachable(dsn: str, timeout_s: float) -> None:
    """Connect once and leave. Raises DatabaseUnreachable."""
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


def _reason(error: Exception) -> str:
    state = cast("str | None", getattr(error, "sqlstate", None)) or ""
    known = (reason for begin, reason in _REFUSALS.items() if state.startswith(begin))
    return next(known, f"connecting fails ({type(error).__name__} {state}".rstrip() + ")")
