"""The keys of tenants that encrypt their credentials, encrypted: implements DataKeyStore."""

import msgspec
from sqlalchemy import ColumnElement, func, insert, select, update

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.access import credential_keys
from cartrita.domain.credentials import WrappedKey

_k = credential_keys.c
_WRAPPED = select(_k.id, _k.tenant_id, _k.wrapping_key, _k.ciphertext)


class DataKeyTable:
    """The keys by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key_id: str) -> WrappedKey | None:
        found = await self._read(_k.id == key_id)
        return found[0] if found else None

    async def of_tenant(self, tenant_id: str) -> list[WrappedKey]:
        """See DataKeyStore."""
        return await self._read(_k.tenant_id == tenant_id)

    async def add(self, key: WrappedKey) -> None:
        values = msgspec.structs.asdict(key) | {"wrapped_at": func.now()}
        async with self._database.transaction() as connection:
            await connection.execute(insert(credential_keys).values(values))

    async def wrapped(self, *, not_by: str) -> list[WrappedKey]:
        """See DataKeyStore."""
        return await self._read(_k.wrapping_key != not_by)

    async def rewrap(self, old: WrappedKey, new: WrappedKey) -> bool:
        """See DataKeyStore."""
        statement = (
            update(credential_keys)
            .where(_k.id == old.id, _k.ciphertext == old.ciphertext)
            .values(wrapping_key=new.wrapping_key, ciphertext=new.ciphertext, wrapped_at=func.now())
        )
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def _read(self, where: ColumnElement[bool]) -> list[WrappedKey]:
        async with self._database.use() as connection:
            rows = await connection.execute(_WRAPPED.where(where).order_by(_k.id))
            return [WrappedKey(**row) for row in rows.mappings()]
