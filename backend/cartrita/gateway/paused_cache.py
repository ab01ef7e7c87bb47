"""A cache that nobody waits for: it is given little time, and left alone while it fails."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

import structlog

from cartrita.domain.cached_answers import CachedAnswer, CacheKey
from cartrita.domain.errors import Unavailable
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.kit.pause import Pause

log = structlog.get_logger()

_T = TypeVar("_T")


class PausedCache:
    """Implements `AnswerCache` by another one, which is asked for at most `timeout_s`.

    One that cannot be reached in that time has no answers: the first one who notices is told so, by
    Unavailable, and the others for `pause_s` by finding none.
    """

    def __init__(
        self,
        cache: AnswerCache,
        *,
        timeout_s: float = 1.0,
        pause_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._timeout_s = timeout_s
        self._away = Pause(pause_s, clock)
        self._left: set[asyncio.Task[object]] = set()

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `AnswerCache`."""
        if not self._away.over:
            return None
        return await self._asked(self._cache.get(key, ttl))

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `AnswerCache`."""
        if self._away.over:
            await self._asked(self._cache.put(key, answer, ttl))

    async def _asked(self, work: Coroutine[object, object, _T]) -> _T:
        self._away.hold_others()
        try:
            result = await self._in_time(work)
        except Unavailable:
            self._away.begin()
            log.warning("cache_away")
            raise
        if self._away.end():
            log.info("cache_back")
        return result

    async def _in_time(self, work: Coroutine[object, object, _T]) -> _T:
        """What it results in. It is not cancelled when its time is over, which would take more."""
        task = asyncio.get_running_loop().create_task(work)
        try:
            done, _ = await asyncio.wait((task,), timeout=self._timeout_s)
        finally:
            if not task.done():
                self._left.add(task)
                task.add_done_callback(self._forget)
        if not done:
            raise Unavailable("The cache does not answer in time.", retry_after=1)
        return task.result()

    def _forget(self, task: asyncio.Task[object]) -> None:
        """One that nobody waits for has ended; that the cache was away is known by then."""
        self._left.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Unavailable):
            log.error("cache_failed", exc_info=error)
