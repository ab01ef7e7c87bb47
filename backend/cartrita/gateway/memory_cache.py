"""The cache of answers in the memory of one process."""

import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey


class _Entry(msgspec.Struct, frozen=True):
    stored_at: float
    expires_at: float
    encoded: bytes


class MemoryCache:
    """Implements `AnswerCache` in the memory of this process; the least used leave first."""

    def __init__(
        self, bounds: CacheBounds | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bounds = bounds or CacheBounds()
        self._clock = clock
        self._entries: OrderedDict[CacheKey, _Entry] = OrderedDict()
        self._bytes = 0

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `AnswerCache`."""
        entry, now = self._entries.get(key), self._clock()
        if entry is None:
            return None
        if entry.expires_at <= now:
            self._remove(key)
            return None
        if entry.stored_at + ttl <= now:
            return None
        if entry.expires_at < entry.stored_at + ttl:
            self._entries[key] = replace(entry, expires_at=entry.stored_at + ttl)
        self._entries.move_to_end(key)
        return msgspec.msgpack.decode(entry.encoded, type=CachedAnswer)

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `AnswerCache`."""
        encoded = msgspec.msgpack.encode(answer)
        if len(encoded) > self._bounds.entry_bytes:
            return
        now = self._clock()
        expires_at = now + ttl
        if key in self._entries:
            expires_at = max(expires_at, self._entries[key].expires_at)
            self._remove(key)
        self._entries[key] = _Entry(now, expires_at, encoded)
        self._bytes += len(encoded)
        while len(self._entries) > self._bounds.entries or self._bytes > self._bounds.total_bytes:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: CacheKey) -> None:
        self._bytes -= len(self._entries.pop(key).encoded)
