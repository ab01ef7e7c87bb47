"""API keys, stored as digests: implements ApiKeyStore."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import RowMapping, and_, func, insert, select, tuple_, update

from cartrita.adapters.persistence.audit import record
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.access import api_keys, tenants, users
from cartrita.domain.accounts import UserRole
from cartrita.domain.api_keys import ApiKey, KeyChanges, KeyFilter, StoredApiKey, Succession
from cartrita.domain.audit import Change
from cartrita.domain.scopes import NOTHING, UNLIMITED, Scopes

_k, _u, _t = api_keys.c, users.c, tenants.c
_FIELDS = ApiKey.__struct_fields__
_STORED = (
    select(
        *(_k[name] for name in _FIELDS),
        _k.digest,
        _u.tenant_id,
        (_u.role == UserRole.ADMIN).label("admin"),
        and_(_u.disabled_at.is_(None), _t.disabled_at.is_(None)).label("enabled"),
    )
    .join(users, _u.id == _k.owner_id)
    .join(tenants, _t.id == _u.tenant_id)
)


class ApiKeyTable:
    """Keys with what is known of their users. A key is looked up before its owner is known."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key_id: str) -> StoredApiKey | None:
        async with self._database.use() as connection:
            found = await connection.execute(_STORED.where(_k.id == key_id))
            row = found.mappings().one_or_none()
        return None if row is None else _to_key(row)

    async def get_many(self, key_ids: Collection[str]) -> list[StoredApiKey]:
        query = _STORED.where(_k.id == func.any(list(key_ids)))
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_to_key(row) for row in rows]

    async def add(
        self, key: StoredApiKey, change: Change, replaces: Succession | None = None
    ) -> bool:
        """See ApiKeyStore."""
        values = msgspec.structs.asdict(key.key) | {"digest": key.digest}
        async with self._database.transaction() as connection:
            await connection.execute(insert(api_keys).values(values))
            if replaces is not None:
                replacing = (
                    update(api_keys)
                    .where(_k.id == replaces.key_id)
                    .where(_k.replaced_by.is_(None), _k.revoked_at.is_(None))
                    .values(replaced_by=key.key.id, retires_at=replaces.retires_at)
                )
                if (await connection.execute(replacing)).rowcount != 1:
                    await connection.rollback()
                    return False
            await record(connection, change)
        return True

    async def change(self, key_id: str, changes: KeyChanges, change: Change) -> bool:
        """See ApiKeyStore."""
        given = msgspec.structs.asdict(changes)
        values: dict[str, Any] = {name: new for name, new in given.items() if new is not None}
        if changes.revoked_at is not None:
            values["revoked_at"] = func.coalesce(_k.revoked_at, changes.revoked_at)
        statement = update(api_keys).where(_k.id == key_id).values(values)
        async with self._database.transaction() as connection:
            found = (await connection.execute(statement)).rowcount == 1
            if found:
                await record(connection, change)
        return found

    async def page(
        self, which: KeyFilter, *, after: str | None = None, limit: int | None = None
    ) -> list[StoredApiKey]:
        """See ApiKeyStore."""
        query = _STORED.order_by(_k.created_at, _k.id).limit(limit)
        if which.owner_id is not None:
            query = query.where(_k.owner_id == which.owner_id)
        if which.tenant_id is not None:
            query = query.where(_u.tenant_id == which.tenant_id)
        if after is not None:
            last = select(_k.created_at, _k.id).where(_k.id == after).scalar_subquery()
            query = query.where(tuple_(_k.created_at, _k.id) > last)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_to_key(row) for row in rows]


def _to_key(row: RowMapping) -> StoredApiKey:
    values = {name: row[name] for name in _FIELDS}
    enabled = row["enabled"]
    try:
        scopes = msgspec.json.decode(row["scopes"], type=Scopes)
        values["scopes"] = scopes if scopes.limited else UNLIMITED
    except msgspec.ValidationError:  # a newer version limits it by what this one does not know
        values["scopes"], enabled = NOTHING, False
    return StoredApiKey(ApiKey(**values), row["digest"], row["tenant_id"], row["admin"], enabled)
