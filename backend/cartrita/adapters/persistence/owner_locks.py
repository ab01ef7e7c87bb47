"""Locks of what is counted by owners before it is added, held until a transaction ends."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('files:' || :owner_id, 0))")
_DESKTOPS = text("SELECT pg_advisory_xact_lock(hashtextextended('desktops', 0))")


async def lock_files_of(connection: AsyncConnection, owner_id: str) -> None:
    """Until the transaction ends, nobody else adds or removes files of this owner."""
    await connection.execute(_LOCK, {"owner_id": owner_id})


async def lock_desktops(connection: AsyncConnection) -> None:
    """Until the transaction ends, nobody else begins a desktop, on whatever machine."""
    await connection.execute(_DESKTOPS)
