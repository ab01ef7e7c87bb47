"""The cache of answers: which requests are equal, and what is kept in this process."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey
from cartrita.domain.errors import Malformed
from cartrita.domain.messages import ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.calls import Relayable

_encoder = msgspec.json.Encoder(order="sorted")
_CHOOSING = ("-beta", "-version")


def cache_key(request: ModelRequest, name: str, relay: Relayable | None = None) -> CacheKey:
    """The key of all of a request, with the resolved name of what it goes to.

    Of the headers that a relay passes on, those count that choose a version or a beta; the others
    only name the request.
    """
    passed_on = () if relay is None else relay.headers.items()
    chosen = {name: value for name, value in passed_on if name.endswith(_CHOOSING)}
    return CacheKey(request.owner_id, _hash((name, replace(request, model=""), chosen)))


def body_key(body: bytes) -> bytes:
    """The hash of all of a JSON body, whatever the order of its fields. Raises Malformed."""
    try:
        return _hash(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def is_cacheable(request: ModelRequest) -> bool:
    """Whether equal requests may have one answer: not where tools are in use."""
    parts = (part for message in request.messages for part in message.parts)
    return not request.tools and not any(isinstance(one, ToolCall | ToolResult) for one in parts)


def _hash(value: object) -> bytes:
    return hashlib.sha256(_encoder.encode(value)).digest()


class _Entry(msgspec.Struct, frozen=True):
    stored_at: float
    expires_at: float
    encoded: bytes


class MemoryCache:
    """Implements `ResponseCache` in the memory of this process; the least used leave first."""

    def __init__(
        self, bounds: CacheBounds | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bounds = bounds or CacheBounds()
        self._clock = clock
        self._entries: OrderedDict[CacheKey, _Entry] = OrderedDict()
        self._bytes = 0

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `ResponseCache`."""
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
        """See `ResponseCache`."""
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
