"""The port of the cache of answers."""

from typing import Protocol

from cartrita.domain.cached_answers import CachedAnswer, CacheKey


class AnswerCache(Protocol):
    """Keeps answers by their owner and the hash of what was asked, within bounds of its own.

    Who asks for an answer of `ttl` seconds takes one that is not as old, and wants it kept for that
    long. So an answer stays, if there is room, for the longest time that anyone has asked for: one
    who takes none but young ones shortens nothing for the others.
    """

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """The answer under this key, if it was put less than `ttl` seconds ago. Raises Unavailable.

        It is then kept at least until it is that old.
        """
        ...

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """Keep an answer for `ttl` seconds, unless it is too long. Raises Unavailable.

        It replaces the one before it, and is kept at least as long as that one would have been.
        """
        ...
