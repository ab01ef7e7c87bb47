"""This process as an owner of runs: its lease, kept by a heartbeat on the database's clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import structlog

from cartrita.adapters.runlog.connection import OUTAGE, Connection, Link
from cartrita.domain.errors import LeaseLost
from cartrita.kit.ids import uuid7

log = structlog.get_logger()

# Whoever held this place before is dead, or was told to be: nobody need wait for its lease.
_SUCCEED = """
UPDATE replicas SET expires_at = '-infinity' WHERE instance = $1 AND (slot = $2 OR slot >= $3)
"""
_REGISTER = """
INSERT INTO replicas (id, instance, slot, epoch, expires_at)
VALUES ($1, $2, $3, 1, clock_timestamp() + $4 * interval '1 second')
"""
_BEAT = """
UPDATE replicas SET expires_at = clock_timestamp() + $3 * interval '1 second'
WHERE id = $1 AND epoch = $2 RETURNING id
"""
_FENCE = "SELECT 1 FROM replicas WHERE id = $1 AND epoch = $2 FOR KEY SHARE"
_EXPIRE = "UPDATE replicas SET expires_at = '-infinity' WHERE id = $1 AND epoch = $2"


class Identity(msgspec.Struct, frozen=True):
    """Who writes: an epoch is raised by whoever takes its runs away."""

    id: UUID
    epoch: int = 1


class Place(msgspec.Struct, frozen=True):
    """Which process this is: the data directory's `instance`, and one of its `slots` workers."""

    instance: UUID
    slot: int
    slots: int


class Replica:
    """Holds a lease; loses it where the database was out of reach for two thirds of it."""

    def __init__(self, link: Link, place: Place, *, lease_s: float) -> None:
        self._link = link
        self._place = place
        self._lease_s = lease_s
        self._identity: Identity | None = None
        self._safe_until = 0.0
        self._held = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def identity(self) -> Identity:
        """Raises LeaseLost where this process may not write."""
        identity = self._identity
        if identity is not None and time.monotonic() > self._safe_until:
            self.depose(identity)
        if self._identity is None:
            raise LeaseLost("This server lost its lease on the database and is taking a new one.")
        return self._identity

    def require(self, identity: Identity) -> None:
        """Raises LeaseLost where another lease is held by now."""
        if self.identity != identity:
            raise LeaseLost("This server took a new lease, under which it owns other runs.")

    def holds(self, identity: Identity) -> bool:
        return self._identity == identity

    @property
    def held(self) -> bool:
        return self._identity is not None

    def depose(self, identity: Identity) -> None:
        """Stop writing under this lease at once: somebody else owns its runs, or soon will."""
        if self._identity == identity:
            log.warning("lease_lost", replica=str(identity.id))
            self._identity = None
            self._held.clear()
            self._lost.set()

    async def register(self) -> None:
        """Become a new owner, with no runs. Raises an outage."""
        identity = Identity(uuid7())
        asked = time.monotonic()
        place = self._place
        async with self._link.use() as connection, connection.transaction():
            await connection.execute(_SUCCEED, place.instance, place.slot, place.slots)
            await connection.execute(
                _REGISTER, identity.id, place.instance, place.slot, self._lease_s
            )
        self._identity = identity
        self._safe_until = asked + self._lease_s * 2 / 3
        self._lost.clear()
        self._held.set()
        log.info("lease_taken", replica=str(identity.id))

    async def losses(self) -> AsyncIterator[None]:
        """Each time the lease is lost, for ever."""
        while True:
            await self._lost.wait()
            yield
            await self._held.wait()

    async def beat_for_ever(self) -> None:
        """Renew the lease six times in each of its lengths; take a new one when it is lost."""
        while True:
            await asyncio.sleep(self._lease_s / 6)
            try:
                await self._beat()
            except (*OUTAGE, asyncpg.PostgresError) as error:
                log.warning("heartbeat_failed", error=type(error).__name__)

    async def _beat(self) -> None:
        identity = self._identity
        if identity is None:
            return await self.register()
        if time.monotonic() > self._safe_until:
            return self.depose(identity)
        asked = time.monotonic()
        async with asyncio.timeout(self._lease_s / 3), self._link.use() as connection:
            row = await connection.fetchrow(_BEAT, identity.id, identity.epoch, self._lease_s)
        if row is None:
            self.depose(identity)
        elif self._identity == identity:
            self._safe_until = asked + self._lease_s * 2 / 3
        return None

    async def release(self) -> None:
        """Give the lease up, so that nobody has to wait for its end."""
        identity, self._identity = self._identity, None
        if identity is not None:
            async with self._link.use() as connection:
                await connection.execute(_EXPIRE, identity.id, identity.epoch)


async def fence(connection: Connection, identity: Identity) -> None:
    """Hold off whoever would take this replica's runs until the transaction ends.

    The reaper takes the same row FOR UPDATE before it touches a run, so a writer either commits
    before it or finds its epoch gone. Raises LeaseLost.
    """
    if await connection.fetchval(_FENCE, identity.id, identity.epoch) is None:
        raise LeaseLost("This server lost its lease on the database.")
