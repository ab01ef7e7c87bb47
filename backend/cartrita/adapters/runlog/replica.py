"""Replicas: a process's lease on its runs, renewed by heartbeats on the database's clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.connection import TRANSIENT_ERRORS, Connection, DedicatedConnection
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.domain.errors import LeaseLost
from cartrita.kit.ids import uuid7

log = structlog.get_logger(__name__)

# The previous process in this slot is gone, so its lease ends now. Slots that do not exist any more
# (fewer workers than before) end too.
_EXPIRE_PREDECESSORS = """
UPDATE replicas SET expires_at = '-infinity' WHERE instance = $1 AND (slot = $2 OR slot >= $3)
"""
_REGISTER = """
INSERT INTO replicas (id, instance, slot, epoch, renewed_at, expires_at)
VALUES ($1, $2, $3, 1, clock_timestamp(), clock_timestamp() + $4 * interval '1 second')
"""
_RENEW = """
UPDATE replicas
SET renewed_at = clock_timestamp(), expires_at = clock_timestamp() + $3 * interval '1 second'
WHERE id = $1 AND epoch = $2 RETURNING id
"""
_FENCE = "SELECT 1 FROM replicas WHERE id = $1 AND epoch = $2 FOR KEY SHARE"
_EXPIRE = "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1 AND epoch = $2"


class Lease(msgspec.Struct, frozen=True):
    """The right of a replica to write its runs. Whoever takes the runs over raises the epoch."""

    id: UUID
    epoch: int = 1


class Replica:
    """Holds the lease of this process, and gives it up after two thirds without a heartbeat."""

    def __init__(
        self, connection: DedicatedConnection, slot: WorkerSlot, *, lease_s: float
    ) -> None:
        self._connection = connection
        self._slot = slot
        self._lease_s = lease_s
        self._lease: Lease | None = None
        self._safe_until = 0.0
        self._held = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def lease(self) -> Lease:
        """The current lease. Raises LeaseLost if this process may not write."""
        lease = self._lease
        if lease is not None and time.monotonic() > self._safe_until:
            self.lose_lease(lease)
        if self._lease is None:
            raise LeaseLost("This server lost its lease on the database and is taking a new one.")
        return self._lease

    def require(self, lease: Lease) -> None:
        """Raises LeaseLost if `lease` is not the current lease."""
        if self.lease != lease:
            raise LeaseLost("This server took a new lease, under which it owns other runs.")

    def holds(self, lease: Lease) -> bool:
        return self._lease == lease

    @property
    def held(self) -> bool:
        return self._lease is not None

    def lose_lease(self, lease: Lease) -> None:
        """Stop writing under this lease at once; other replicas take its runs over."""
        if self._lease == lease:
            log.warning("lease_lost", replica=str(lease.id))
            self._lease = None
            self._held.clear()
            self._lost.set()

    async def register(self) -> None:
        """Take a new lease, which owns no runs yet. Raises TRANSIENT_ERRORS."""
        lease = Lease(uuid7())
        requested = time.monotonic()
        slot = self._slot
        async with self._connection.acquire() as connection, connection.transaction():
            await connection.execute(_EXPIRE_PREDECESSORS, slot.instance, slot.slot, slot.slots)
            await connection.execute(_REGISTER, lease.id, slot.instance, slot.slot, self._lease_s)
        self._lease = lease
        self._safe_until = requested + self._lease_s * 2 / 3
        self._lost.clear()
        self._held.set()
        log.info("lease_taken", replica=str(lease.id))

    async def lease_losses(self) -> AsyncIterator[None]:
        """Yields each time the lease is lost."""
        while True:
            await self._lost.wait()
            yield
            await self._held.wait()

    async def run(self) -> None:
        """Renew the lease six times within its duration; take a new one after a loss.

        A renewal that failed is tried again soon: the database may be back before the lease is
        lost.
        """
        pause = self._lease_s / 6
        while True:
            await asyncio.sleep(pause)
            try:
                await self._renew()
            except (*TRANSIENT_ERRORS, asyncpg.PostgresError) as error:
                log.warning("heartbeat_failed", error=type(error).__name__)
                pause = self._lease_s / 30
            else:
                pause = self._lease_s / 6

    async def _renew(self) -> None:
        lease = self._lease
        if lease is None:
            return await self.register()
        if time.monotonic() > self._safe_until:
            return self.lose_lease(lease)
        requested = time.monotonic()
        async with asyncio.timeout(self._lease_s / 3), self._connection.acquire() as connection:
            row = await connection.fetchrow(_RENEW, lease.id, lease.epoch, self._lease_s)
        if row is None:
            self.lose_lease(lease)
        elif self._lease == lease:
            self._safe_until = requested + self._lease_s * 2 / 3
        return None

    async def release(self) -> None:
        """Expire the lease now, so that other replicas need not wait for it."""
        lease, self._lease = self._lease, None
        if lease is not None:
            async with self._connection.acquire() as connection:
                await connection.execute(_EXPIRE, lease.id, lease.epoch)


async def fence(connection: Connection, lease: Lease) -> None:
    """Lock the lease's row until the transaction ends. Raises LeaseLost.

    The reaper locks the same row FOR UPDATE and raises the epoch before it changes a run. So a
    writer either commits before that, or finds that its epoch is gone.
    """
    if await connection.fetchval(_FENCE, lease.id, lease.epoch) is None:
        raise LeaseLost("This server lost its lease on the database.")
