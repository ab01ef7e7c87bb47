"""The audit log: written in the transactions of other tables; implements AuditStore."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.access import audit_log
from cartrita.domain.audit import AuditEntry, Change
from cartrita.domain.json import JsonObject

_a = audit_log.c


async def record(connection: AsyncConnection, change: Change) -> None:
    """Log a change in the transaction of this connection."""
    principal = change.actor.principal
    statement = insert(audit_log).values(
        id=func.cartrita_uuid7(),
        at=func.now(),
        actor_key_id=principal.key_id,
        actor_owner_id=principal.owner_id,
        tenant_id=change.tenant_id,
        action=change.action,
        object=change.object,
        details=change.details,
        address=change.actor.address,
    )
    await connection.execute(statement)


class AuditTable:
    """The logged changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: str | None, *, before: UUID | None = None, limit: int
    ) -> list[AuditEntry]:
        """See AuditStore."""
        query = select(audit_log).order_by(_a.id.desc()).limit(limit)
        if tenant_id is not None:
            query = query.where(_a.tenant_id == tenant_id)
        if before is not None:
            query = query.where(_a.id < before)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_entry(dict(row)) for row in rows]


def _entry(row: dict[str, Any]) -> AuditEntry:
    row["details"] = msgspec.json.decode(row["details"], type=JsonObject)
    return AuditEntry(**row)
