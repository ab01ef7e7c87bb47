"""The cache of answers in Valkey, for all replicas: implements `ResponseCache`.

The server ends answers by its own clock. The bounds hold for all replicas together.
"""

from importlib.resources import files
from typing import Final, cast

import msgspec

from cartrita.adapters.valkey.server import Script, ValkeyServer
from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey

_PREFIX: Final = "cartrita:answers"
_BY_END: Final = f"{_PREFIX}:by_end"
_BY_AGE: Final = f"{_PREFIX}:by_age"
_SIZES: Final = f"{_PREFIX}:sizes"


def _script(name: str) -> Script:
    return Script.of(files("cartrita.adapters.valkey").joinpath(name).read_text("utf-8"))


_GET: Final = _script("get_answer.lua")
_PUT: Final = _script("put_answer.lua")


class ValkeyAnswers:
    """Answers by their owner and the hash of what was asked; the oldest leave first.

    A server that cannot be reached has no answers: the first one who notices is told so, by
    Unavailable, and the others for a while by finding none.
    """

    def __init__(self, server: ValkeyServer, bounds: CacheBounds | None = None) -> None:
        self._server = server
        self._bounds = bounds or CacheBounds()

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `ResponseCache`; an answer that another version wrote may be none to this one."""
        name = _name(key)
        reply = await self._server.run(_GET, (name, _BY_END), (_milliseconds(ttl),))
        if reply is None:
            return None
        found, encoded = cast("tuple[bytes, bytes]", reply)
        if found != name.encode():
            # Clients of this protocol have given one caller what another had asked for, after a
            # cancellation (CVE-2023-28858); the answer of another owner must never come out here.
            return None
        try:
            return msgspec.msgpack.decode(encoded, type=CachedAnswer)
        except msgspec.MsgspecError:
            return None

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `ResponseCache`."""
        encoded = msgspec.msgpack.encode(answer)
        if len(encoded) > self._bounds.entry_bytes:
            return
        keys = (_name(key), _BY_END, _BY_AGE, _SIZES)
        bounds = (self._bounds.entries, self._bounds.total_bytes)
        await self._server.run(_PUT, keys, (encoded, _milliseconds(ttl), *bounds))


def _name(key: CacheKey) -> str:
    return f"{_PREFIX}:{key.owner_id}:{key.digest.hex()}"


def _milliseconds(seconds: float) -> int:
    return max(0, int(seconds * 1000))
