"""The cache of answers that all processes share: implements `AnswerCache`.

The table is UNLOGGED: a write costs no WAL, and after a crash the cache is empty. The bounds hold
for all processes together, up to the eighth of them that each may add before it looks.
"""

from datetime import timedelta

import msgspec
from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.usage import cached_answers
from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey

_c = cached_answers.c
_SHARE = 8


class CachedAnswerTable:
    """Answers by their owner and the hash of what was asked; the oldest leave first."""

    def __init__(self, database: Database, bounds: CacheBounds | None = None) -> None:
        self._database = database
        self._bounds = bounds or CacheBounds()
        self._added_entries = 0
        self._added_bytes = 0

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `AnswerCache`; an answer that another version wrote may be none to this one."""
        wanted_until = _c.stored_at + timedelta(seconds=ttl)
        found = (_c.owner_id == key.owner_id, _c.digest == key.digest)
        query = select(_c.answer, _c.stored_at, _c.expires_at < wanted_until).where(
            *found, _c.expires_at > func.now(), wanted_until > func.now()
        )
        async with self._database.use() as connection:
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            encoded, stored_at, leaves_too_early = row
            if leaves_too_early:
                await connection.execute(
                    update(cached_answers)
                    .where(*found, _c.stored_at == stored_at)
                    .values(expires_at=func.greatest(_c.expires_at, wanted_until))
                )
        try:
            return msgspec.msgpack.decode(encoded, type=CachedAnswer)
        except msgspec.MsgspecError:
            return None

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `AnswerCache`."""
        encoded = msgspec.msgpack.encode(answer)
        if len(encoded) > self._bounds.entry_bytes:
            return
        values = {
            "answer": encoded,
            "size": len(encoded),
            "stored_at": func.now(),
            "expires_at": func.now() + timedelta(seconds=ttl),
        }
        statement = (
            insert(cached_answers)
            .values(**msgspec.structs.asdict(key), **values)
            .on_conflict_do_update(
                index_elements=[_c.owner_id, _c.digest],
                set_={**values, "expires_at": func.greatest(_c.expires_at, values["expires_at"])},
            )
        )
        async with self._database.use() as connection:
            await connection.execute(statement)
        self._added_entries += 1
        self._added_bytes += len(encoded)
        if self._is_due():
            await self.sweep()

    async def sweep(self) -> int:
        """Remove what is too old, and the oldest of what exceeds the bounds; how many."""
        self._added_entries = self._added_bytes = 0
        newest = (_c.stored_at.desc(), _c.owner_id, _c.digest)
        ranked = select(
            _c.owner_id,
            _c.digest,
            func.row_number().over(order_by=newest).label("entries"),
            func.sum(_c.size).over(order_by=newest).label("total_bytes"),
        ).subquery()
        excess = select(ranked.c.owner_id, ranked.c.digest).where(
            (ranked.c.entries > self._bounds.entries)
            | (ranked.c.total_bytes > self._bounds.total_bytes)
        )
        async with self._database.use() as connection:
            old = await connection.execute(
                delete(cached_answers).where(_c.expires_at <= func.now())
            )
            beyond = await connection.execute(
                delete(cached_answers).where(tuple_(_c.owner_id, _c.digest).in_(excess))
            )
        return old.rowcount + beyond.rowcount

    def _is_due(self) -> bool:
        """Whether this process has added so much that the bounds may be exceeded."""
        return (
            self._added_entries * _SHARE > self._bounds.entries
            or self._added_bytes * _SHARE > self._bounds.total_bytes
        )
