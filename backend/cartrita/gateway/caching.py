"""The cache of answers: which requests are equal, and what is kept in this process."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cartrita.domain.cached_answers import CachedAnswer
from cartrita.domain.messages import ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest

_encoder = msgspec.json.Encoder(order="sorted")


class CachePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of a cache: entries, bytes of all and of one, and the usual age in seconds."""

    entries: int = 1000
    total_bytes: int = 64 << 20
    entry_bytes: int = 1 << 20
    ttl: float = 300.0


def cache_key(request: ModelRequest, name: str) -> bytes:
    """The hash of all of a request, with the resolved name of what it goes to."""
    return hashlib.sha256(_encoder.encode((name, replace(request, model="")))).digest()


def is_cacheable(request: ModelRequest) -> bool:
    """Whether equal requests may have one answer: not where tools are in use."""
    parts = (part for message in request.messages for part in message.parts)
    return not request.tools and not any(isinstance(one, ToolCall | ToolResult) for one in parts)


class _Entry(msgspec.Struct, frozen=True):
    expires_at: float
    encoded: bytes


class MemoryCache:
    """Implements `ResponseCache` in the memory of this process; the least used leave first."""

    def __init__(
        self, policy: CachePolicy | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy or CachePolicy()
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0

    async def get(self, key: bytes) -> CachedAnswer | None:
        """See `ResponseCache`."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires_at <= self._clock():
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return msgspec.msgpack.decode(entry.encoded, type=CachedAnswer)

    async def put(self, key: bytes, answer: CachedAnswer, ttl: float) -> None:
        """See `ResponseCache`."""
        encoded = msgspec.msgpack.encode(answer)
        if len(encoded) > self._policy.entry_bytes:
            return
        if key in self._entries:
            self._remove(key)
        self._entries[key] = _Entry(self._clock() + ttl, encoded)
        self._bytes += len(encoded)
        while len(self._entries) > self._policy.entries or self._bytes > self._policy.total_bytes:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: bytes) -> None:
        self._bytes -= len(self._entries.pop(key).encoded)
