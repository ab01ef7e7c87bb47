"""API keys, stored as digests: implements ApiKeyStore."""

from datetime import datetime

import msgspec
from sqlalchemy import func, insert, select, update

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables import api_keys
from cartrita.domain.api_keys import ApiKey, StoredApiKey

_k = api_keys.c
_COLUMNS = (_k.id, _k.owner_id, _k.name, _k.created_at, _k.expires_at, _k.revoked_at)


class ApiKeyTable:
    """Every query but `get` names an owner: a key is looked up before its owner is known."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: StoredApiKey) -> None:
        values = msgspec.structs.asdict(key.key) | {"digest": key.digest}
        async with self._database.use() as connection:
            await connection.execute(insert(api_keys).values(values))

    async def get(self, key_id: str) -> StoredApiKey | None:
        query = select(*_COLUMNS, _k.digest).where(_k.id == key_id)
        async with self._database.use() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        values = dict(row)
        digest = values.pop("digest")
        return StoredApiKey(ApiKey(**values), digest)

    async def list(self, owner_id: str | None) -> list[ApiKey]:
        """The oldest first; None lists the keys of all owners, for the command line."""
        query = select(*_COLUMNS).order_by(_k.created_at, _k.id)
        if owner_id is not None:
            query = query.where(_k.owner_id == owner_id)
        async with self._database.use() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ApiKey(**row) for row in rows]

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """False where there is no such key; a key revoked before keeps its time."""
        statement = (
            update(api_keys)
            .where(_k.id == key_id)
            .values(revoked_at=func.coalesce(_k.revoked_at, at))
        )
        async with self._database.use() as connection:
            return bool((await connection.execute(statement)).rowcount)
