"""A cache that nobody waits for: it is given little time, and left alone while it fails."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

import structlog

from cartrita.domain.cached_answers import CachedAnswer, CacheKey
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.pause import Pause

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


class PausedCache:
    """Implements `AnswerCache` by another one, which is asked for at most `timeout_s`.

    One that cannot be reached in that time has no answers: the first one who notices is told so, by
    Unavailable, and the others for `pause_s` by finding none. It is asked while `run` runs.
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
        self._tasks = OwnedTasks()

    async def run(self) -> None:
        """Own what nobody waits for any more, until cancelled."""
        await self._tasks.run()

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `AnswerCache`."""
        if not self._answers:
            return None
        return await self._asked(self._cache.get(key, ttl))

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `AnswerCache`."""
        if self._answers:
            await self._asked(self._cache.put(key, answer, ttl))

    @property
    def _answers(self) -> bool:
        return self._tasks.running and self._away.over

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
        asked = self._tasks.start(_outcome(work))
        done, _ = await asyncio.wait((asked,), timeout=self._timeout_s)
        if not done or asked.cancelled():
            raise Unavailable("The cache does not answer in time.", retry_after=1)
        outcome = asked.result()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def _outcome(work: Coroutine[object, object, _T]) -> _T | Exception:
    """What it results in, or its error: nobody may be there any more to whom it could be raised."""
    try:
        return await work
    except CartritaError as error:
        return error
    except Exception as error:  # a defect of the cache is no reason to stop the server
        log.exception("cache_failed")
        return error
