"""What a database tells of itself to `cartrita doctor`; nothing is changed."""

from datetime import datetime, timedelta
from typing import Any, cast

import asyncpg
import msgspec

from cartrita.adapters.persistence.startup_checks import require_reachable
from cartrita.kit.clock import now

_ABOUT = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS number,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int AS connections,
       current_setting('synchronous_commit') AS commit,
       pg_is_in_recovery() AS standby,
       has_schema_privilege(current_user, 'public', 'CREATE') AS may_create,
       to_regclass('public.alembic_version') IS NOT NULL AS migrated,
       to_regclass('public.installation') IS NOT NULL AS installed,
       clock_timestamp() AS now
"""
_UNUSABLE = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND NOT (
    has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')
    AND has_table_privilege(format('%I.%I', schemaname, tablename), 'INSERT')
    AND has_table_privilege(format('%I.%I', schemaname, tablename), 'UPDATE')
    AND has_table_privilege(format('%I.%I', schemaname, tablename), 'DELETE'))
ORDER BY tablename LIMIT 5
"""


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    """How a database is: `connections` are those that it allows to us and others together.

    `revision` is that of its schema, None where there is none; `unusable` are tables that our role
    may not read or write. `ahead` is by how much its clock is before this machine's. The digest is
    that of the secret that its keys were made with.
    """

    version: str
    number: int
    connections: int
    durable: bool
    standby: bool
    may_create: bool
    revision: str | None
    unusable: tuple[str, ...]
    ahead: timedelta
    secret_digest: bytes | None


async def examine(dsn: str, timeout_s: float) -> DatabaseState:
    """Ask it. Raises DatabaseUnreachable."""
    await require_reachable(dsn, timeout_s)
    connection: Any = await cast("Any", asyncpg).connect(
        dsn, timeout=timeout_s, command_timeout=timeout_s
    )
    try:
        before = now()
        about = await connection.fetchrow(_ABOUT)
        middle = before + (now() - before) / 2
        revision = digest = None
        if about["migrated"]:
            revision = await connection.fetchval("SELECT version_num FROM public.alembic_version")
        if about["installed"]:
            digest = await connection.fetchval("SELECT secret_digest FROM public.installation")
        unusable = await connection.fetch(_UNUSABLE)
    finally:
        await connection.close(timeout=timeout_s)
    moment: datetime = about["now"]
    return DatabaseState(
        version=about["version"],
        number=about["number"],
        connections=about["connections"],
        durable=about["commit"] != "off",
        standby=about["standby"],
        may_create=about["may_create"],
        revision=revision,
        unusable=tuple(row["tablename"] for row in unusable),
        ahead=moment - middle,
        secret_digest=digest,
    )
