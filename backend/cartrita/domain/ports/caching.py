"""The ports of the cache of answers."""

from typing import Protocol

from cartrita.domain.cached_answers import CachedAnswer, CacheKey


class ResponseCache(Protocol):
    """Keeps answers by their owner and the hash of what was asked, within bounds of its own."""

    async def get(self, key: CacheKey, longest: float) -> CachedAnswer | None:
        """The answer under this key, if it is not as old as `longest` seconds. Raises Unavailable.

        It is not kept longer than it was put for either.
        """
        ...

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """Keep an answer for `ttl` seconds, unless it is too long. Raises Unavailable."""
        ...
