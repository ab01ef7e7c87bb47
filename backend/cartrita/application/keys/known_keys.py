"""API keys that were found before, so that calls do not wait until the store finds them again."""

import asyncio
import time
from collections.abc import Callable, Collection

import msgspec
import structlog

from cartrita.domain.api_keys import StoredApiKey
from cartrita.domain.errors import CartritaError
from cartrita.domain.ports.access import ApiKeyStore
from cartrita.kit.owned_tasks import OwnedTasks

log = structlog.get_logger(__name__)


class _KnownKey(msgspec.Struct, frozen=True):
    """A key as it was at a moment of the clock."""

    key: StoredApiKey
    read_at: float


class KnownKeys:
    """Keys of a store, each read again after `cache_s`.

    While `run` runs, calls do not notice that the store is away: a key that was read in the last
    `outage_s` is good for them while it is read again, and the one call that has it read waits for
    `patience_s` at most.
    """

    def __init__(
        self,
        store: ApiKeyStore,
        *,
        cache_s: float = 3.0,
        outage_s: float = 600.0,
        patience_s: float = 0.5,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._cache_s = cache_s
        self._outage_s = outage_s
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._known: dict[str, _KnownKey] = {}
        self._reading: set[str] = set()
        self._forgotten = 0
        self._tasks = OwnedTasks()

    async def run(self) -> None:
        """Own the tasks that read keys again, until cancelled."""
        await self._tasks.run()

    async def find(self, key_id: str) -> StoredApiKey | None:
        """The key of this id; None if there is none. Raises Unavailable."""
        known = self._known.get(key_id)
        age = self._monotonic() - known.read_at if known is not None else 0.0
        if known is not None and age < self._cache_s:
            return known.key
        if known is None or not self._tasks.running or age > self._outage_s:
            return await self._read(key_id)
        if key_id in self._reading:
            return known.key
        self._reading.add(key_id)
        reading = self._tasks.start(self._read_again(key_id))
        await asyncio.wait({reading}, timeout=self._patience_s)
        known = self._known.get(key_id)
        if known is None:  # it is gone, or what was read was forgotten meanwhile
            return await self._read(key_id)
        return known.key

    def forget(self, key_id: str) -> None:
        """Read this key when it is asked for next; what is being read now may be out of date."""
        self._forgotten += 1
        self._known.pop(key_id, None)

    def forget_all(self) -> None:
        """Read every key when it is asked for next."""
        self._forgotten += 1
        self._known.clear()

    def peek(self, key_id: str) -> StoredApiKey | None:
        """The key as it was read last; None if it is not known."""
        known = self._known.get(key_id)
        return None if known is None else known.key

    async def refresh(self, more: Collection[str] = ()) -> Collection[str]:
        """Read all known keys again, and some more, in one query; those that are gone.

        Raises Unavailable.
        """
        while True:
            self._forgotten += 1  # what is being read now may be out of date
            forgotten = self._forgotten
            asked = {*self._known, *more}
            found = {one.key.id: one for one in await self._store.get_many(asked)} if asked else {}
            if forgotten == self._forgotten:
                break
        read_at = self._monotonic()
        since = {key_id: known for key_id, known in self._known.items() if key_id not in asked}
        self._known = {key_id: _KnownKey(key, read_at) for key_id, key in found.items()} | since
        return asked - found.keys()

    async def _read(self, key_id: str) -> StoredApiKey | None:
        forgotten = self._forgotten
        stored = await self._store.get(key_id)
        if stored is None:  # to keep unknown ids would let them grow without bound
            self._known.pop(key_id, None)
        elif forgotten == self._forgotten:
            self._known[key_id] = _KnownKey(stored, self._monotonic())
        return stored

    async def _read_again(self, key_id: str) -> None:
        try:
            await self._read(key_id)
        except CartritaError as error:
            log.warning("key_not_read", code=error.code)
        except Exception:  # one key is no reason to stop the server
            log.exception("key_not_read")
        finally:
            self._reading.discard(key_id)
