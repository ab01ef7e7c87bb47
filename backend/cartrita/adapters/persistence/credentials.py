"""Credentials of callers, encrypted: implements CredentialStore and ActiveCredentials."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, RowMapping, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from cartrita.adapters.persistence.audit import record
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.access import credentials
from cartrita.domain.audit import Change
from cartrita.domain.credentials import Payer, ProviderCredential, StoredCredential

_c = credentials.c
_FIELDS = ProviderCredential.__struct_fields__
_CURRENT = and_(_c.retires_at.is_(None), _c.revoked_at.is_(None))
_DUE = and_(_c.retires_at <= func.now(), _c.revoked_at.is_(None))
_LATELY = timedelta(minutes=10)
_UNIQUE = "23505"


class CredentialTable:
    """Credentials by their ids, and by who may pay with them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, stored: StoredCredential, change: Change, *, retires_at: datetime) -> bool:
        """See CredentialStore."""
        new = stored.credential
        values = msgspec.structs.asdict(new) | {
            "key_id": stored.data_key_id,
            "ciphertext": stored.ciphertext,
        }
        retiring = (
            update(credentials)
            .where(_place(new.tenant_id, new.owner_id, new.provider), _CURRENT)
            .values(retires_at=retires_at)
        )
        try:
            async with self._database.transaction() as connection:
                await connection.execute(retiring)
                await connection.execute(insert(credentials).values(values))
                await record(connection, change)
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != _UNIQUE:
                raise
            return False
        return True

    async def get(self, credential_id: str) -> StoredCredential | None:
        found = await self._read(_c.id == credential_id)
        return found[0] if found else None

    async def active(self, payer: Payer) -> list[StoredCredential]:
        """See ActiveCredentials."""
        own = or_(_c.owner_id == payer.owner_id, _c.owner_id.is_(None))
        return await self._read(and_(_c.tenant_id == payer.tenant_id, own, _CURRENT))

    async def latest(
        self, tenant_id: str, owner_id: str | None, provider: str
    ) -> StoredCredential | None:
        """See CredentialStore."""
        found = await self._read(_place(tenant_id, owner_id, provider))
        return max(found, key=lambda one: one.credential.version, default=None)

    async def revoke(self, credential_id: str, at: datetime, change: Change) -> bool:
        """See CredentialStore."""
        statement = (
            update(credentials)
            .where(_c.id == credential_id, _c.revoked_at.is_(None))
            .values(revoked_at=at, ciphertext=b"")
        )
        async with self._database.transaction() as connection:
            revoked = (await connection.execute(statement)).rowcount == 1
            if revoked:
                await record(connection, change)
        return revoked

    async def ended(self, credential_ids: Iterable[str]) -> set[str]:
        """See ActiveCredentials."""
        at = func.coalesce(_c.revoked_at, _c.retires_at)
        lately = at > func.now() - _LATELY
        query = (
            select(_c.id)
            .where(or_(_c.id == func.any(list(credential_ids)), lately))
            .where(or_(_c.revoked_at.is_not(None), at <= func.now()))
        )
        async with self._database.use() as connection:
            return {*(await connection.execute(query)).scalars()}

    async def payers(self) -> set[tuple[str, str | None]]:
        """See ActiveCredentials."""
        query = select(_c.tenant_id, _c.owner_id).where(_CURRENT).distinct()
        async with self._database.use() as connection:
            return {(row.tenant_id, row.owner_id) for row in await connection.execute(query)}

    async def page(
        self, tenant_id: str, owner_id: str | None, *, after: str | None, limit: int
    ) -> list[ProviderCredential]:
        """See CredentialStore."""
        mine = _c.owner_id.is_(None)
        if owner_id is not None:
            mine = or_(mine, _c.owner_id == owner_id)
        query = (
            select(*(_c[name] for name in _FIELDS))
            .where(_c.tenant_id == tenant_id, mine)
            .order_by(_c.created_at, _c.id)
            .limit(limit)
        )
        if after is not None:
            last = select(_c.created_at, _c.id).where(_c.id == after).scalar_subquery()
            query = query.where(tuple_(_c.created_at, _c.id) > last)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ProviderCredential(**row) for row in rows]

    async def sweep(self) -> int:
        """End those that have retired, and delete their keys; returns their number."""
        statement = update(credentials).where(_DUE).values(revoked_at=_c.retires_at, ciphertext=b"")
        async with self._database.use() as connection:
            found = await connection.execute(select(_c.id).where(_DUE).limit(1))
            if found.first() is None:  # the trigger would tell every process of no change
                return 0
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).rowcount

    async def _read(self, where: ColumnElement[bool]) -> list[StoredCredential]:
        columns = (*(_c[name] for name in _FIELDS), _c.key_id, _c.ciphertext)
        query = select(*columns).where(where)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_stored(row) for row in rows]


def _place(tenant_id: str, owner_id: str | None, provider: str) -> ColumnElement[bool]:
    owned = _c.owner_id.is_(None) if owner_id is None else _c.owner_id == owner_id
    return and_(_c.tenant_id == tenant_id, owned, _c.provider == provider)


def _stored(row: RowMapping) -> StoredCredential:
    credential = ProviderCredential(**{name: row[name] for name in _FIELDS})
    return StoredCredential(credential, row["key_id"], row["ciphertext"])
