"""Requests that are under way, each of which one process works on at a time."""

from collections.abc import Sequence
from uuid import UUID

from cartrita.adapters.runlog.connection import ConnectionPool
from cartrita.adapters.runlog.replica import Replica

# What a replica that is gone has left does not count, nor what has taken too long.
_TAKE = """
INSERT INTO requests_under_way AS held (owner_id, name, holder, replica_id, expires_at)
VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')
ON CONFLICT (owner_id, name) DO UPDATE
SET holder = excluded.holder, replica_id = excluded.replica_id, expires_at = excluded.expires_at
WHERE held.expires_at <= now() OR NOT EXISTS (
  SELECT 1 FROM replicas r WHERE r.id = held.replica_id AND r.expires_at > clock_timestamp()
)
RETURNING 1
"""
# One that was given back meanwhile stays so: it is not written anew.
_RENEW = """
UPDATE requests_under_way SET expires_at = now() + $2 * interval '1 second', replica_id = $3
WHERE holder = ANY($1::uuid[])
"""
_LEAVE = "DELETE FROM requests_under_way WHERE owner_id = $1 AND name = $2 AND holder = $3"


class RequestsUnderWay:
    """Implements KeyReservations: one row for each, which a primary key makes the only one."""

    def __init__(self, pool: ConnectionPool, replica: Replica) -> None:
        self._pool = pool
        self._replica = replica

    async def take(self, owner_id: str, name: str, holder: UUID, seconds: float) -> bool:
        """See KeyReservations. Raises LeaseLost."""
        lease = self._replica.lease
        async with self._pool.acquire() as connection:
            taken = await connection.fetchval(_TAKE, owner_id, name, holder, lease.id, seconds)
        return taken is not None

    async def renew(self, holders: Sequence[UUID], seconds: float) -> None:
        """See KeyReservations. Raises LeaseLost."""
        lease = self._replica.lease
        async with self._pool.acquire() as connection:
            await connection.execute(_RENEW, holders, seconds, lease.id)

    async def leave(self, owner_id: str, name: str, holder: UUID) -> None:
        """See KeyReservations."""
        async with self._pool.acquire() as connection:
            await connection.execute(_LEAVE, owner_id, name, holder)
