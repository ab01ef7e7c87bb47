"""Locks of what belongs to one owner, held until a transaction ends."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('files:' || :owner_id, 0))")


async def lock_files_of(connection: AsyncConnection, owner_id: str) -> None:
    """Until the transaction ends, nobody else adds or removes files of this owner."""
    await connection.execute(_LOCK, {"owner_id": owner_id})
