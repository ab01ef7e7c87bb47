"""The cache of answers in Valkey, for all replicas: implements `AnswerCache`.

The server ends answers by its own clock. The bounds hold for all replicas together. Installations
that share a server share no answers: models of one name may be other models there, and owners other
people. (Nothing needs to tell them apart in a database, which belongs to one installation.)
"""

from importlib.resources import files
from typing import Final

import msgspec

from cartrita.adapters.valkey.server import LuaScript, ValkeyServer
from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey
from cartrita.kit.secret import Secret

_PREFIX: Final = "cartrita:answers"
_DIGITS: Final = 32
"""So many of the installation's are in each name, which 16 bytes tell apart from all others."""


def _script(name: str) -> LuaScript:
    return LuaScript.of(files("cartrita.adapters.valkey").joinpath(name).read_text("utf-8"))


_GET: Final = _script("get_answer.lua")
_PUT: Final = _script("put_answer.lua")


class ValkeyAnswers:
    """Answers by their owner and the hash of what was asked; the oldest leave first.

    A server that cannot be reached has no answers: the first one who notices is told so, by
    Unavailable, and the others for a while by finding none. `installation` is hexadecimal digits
    that all replicas derive from their secret, and no other installation.
    """

    def __init__(
        self, server: ValkeyServer, installation: Secret, bounds: CacheBounds | None = None
    ) -> None:
        self._server = server
        self._bounds = bounds or CacheBounds()
        self._prefix = f"{_PREFIX}:{installation.reveal()[:_DIGITS]}"
        self._by_end = f"{self._prefix}:by_end"
        self._indexes = (self._by_end, f"{self._prefix}:by_age", f"{self._prefix}:sizes")

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `AnswerCache`; an answer that another version wrote may be none to this one."""
        name = self._name(key)
        reply = await self._server.run(_GET, (name, self._by_end), (_milliseconds(ttl),))
        match reply:
            case None:
                return None
            case [bytes(found), bytes(encoded)] if found == name.encode():
                return _decoded(encoded)
            case _:
                # Clients of this protocol have given one caller what another had asked for, after
                # a cancellation (CVE-2023-28858); the answer of another owner must never come out.
                await self._server.drop_connections()
                return None

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `AnswerCache`."""
        encoded = msgspec.msgpack.encode(answer)
        if len(encoded) > self._bounds.entry_bytes:
            return
        keys = (self._name(key), *self._indexes)
        bounds = (self._bounds.entries, self._bounds.total_bytes)
        await self._server.run(_PUT, keys, (encoded, _milliseconds(ttl), *bounds))

    def _name(self, key: CacheKey) -> str:
        return f"{self._prefix}:{key.owner_id}:{key.digest.hex()}"


def _decoded(encoded: bytes) -> CachedAnswer | None:
    try:
        return msgspec.msgpack.decode(encoded, type=CachedAnswer)
    except msgspec.MsgspecError:
        return None


def _milliseconds(seconds: float) -> int:
    return max(0, int(seconds * 1000))
