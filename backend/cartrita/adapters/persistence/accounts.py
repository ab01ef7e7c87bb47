"""Tenants and users: implements TenantStore and UserStore."""

from typing import Any

import msgspec
from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from cartrita.adapters.persistence.audit import record
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.access import tenants, users
from cartrita.domain.accounts import AccountChanges, Tenant, User, UserRole
from cartrita.domain.audit import Change
from cartrita.domain.errors import Conflict, NotFound

_FOREIGN_KEY = "23503"
_CHECK = "23514"


class TenantTable:
    """Tenants by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, tenant: Tenant, change: Change) -> bool:
        """See TenantStore."""
        return await _add(self._database, tenants, msgspec.structs.asdict(tenant), change)

    async def get(self, tenant_id: str) -> Tenant | None:
        query = select(tenants).where(tenants.c.id == tenant_id)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Tenant(**row)

    async def change(self, tenant_id: str, changes: AccountChanges, change: Change) -> bool:
        """See TenantStore."""
        return await _change(self._database, tenants, tenant_id, changes, change)

    async def page(self, *, after: str | None = None, limit: int | None = None) -> list[Tenant]:
        """See TenantStore."""
        query = select(tenants).order_by(tenants.c.id).limit(limit)
        if after is not None:
            query = query.where(tenants.c.id > after)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Tenant(**row) for row in rows]


class UserTable:
    """Users by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User, change: Change) -> bool:
        """See UserStore."""
        try:
            return await _add(self._database, users, msgspec.structs.asdict(user), change)
        except IntegrityError as error:
            code = getattr(error.orig, "sqlstate", None)
            if code == _CHECK:  # the local user, who is there already
                return False
            if code != _FOREIGN_KEY:
                raise
            raise NotFound("There is no such tenant.", code="tenant_not_found") from error

    async def get(self, user_id: str) -> User | None:
        query = select(users).where(users.c.id == user_id)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _user(dict(row))

    async def change(self, user_id: str, changes: AccountChanges, change: Change) -> bool:
        """See UserStore."""
        return await _change(self._database, users, user_id, changes, change)

    async def page(
        self, tenant_id: str | None, *, after: str | None = None, limit: int | None = None
    ) -> list[User]:
        """See UserStore."""
        query = select(users).order_by(users.c.id).limit(limit)
        if tenant_id is not None:
            query = query.where(users.c.tenant_id == tenant_id)
        if after is not None:
            query = query.where(users.c.id > after)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_user(dict(row)) for row in rows]


def _user(row: dict[str, Any]) -> User:
    row["role"] = UserRole(row["role"])
    return User(**row)


async def _add(database: Database, table: Table, values: dict[str, Any], change: Change) -> bool:
    statement = insert(table).values(values).on_conflict_do_nothing(index_elements=["id"])
    async with database.transaction() as connection:
        added = (await connection.execute(statement)).rowcount == 1
        if added:
            await record(connection, change)
    return added


async def _change(
    database: Database, table: Table, identity: str, changes: AccountChanges, change: Change
) -> bool:
    values: dict[str, Any] = {}
    if changes.name is not None:
        values["name"] = changes.name
    if changes.role is not None:
        values["role"] = changes.role
    if changes.disabled is not None:
        kept = func.coalesce(table.c.disabled_at, func.now())
        values["disabled_at"] = kept if changes.disabled else None
    statement = update(table).where(table.c.id == identity).values(values)
    try:
        async with database.transaction() as connection:
            found = (await connection.execute(statement)).rowcount == 1
            if found:
                await record(connection, change)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != _CHECK:
            raise
        raise Conflict(
            "The local user and tenant are those of whoever runs this server: they stay enabled, "
            "and the user stays an admin.",
            code="local_account",
        ) from error
    return found
