"""Shared answers: equal requests get one that is kept, or that of the one call on its way."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from types import MappingProxyType

import structlog

from cartrita.domain.cached_answers import CachedAnswer, CacheKey, RelayedBytes
from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason, answered_as
from cartrita.domain.errors import CartritaError
from cartrita.domain.failovers import Failover
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.domain.ports.metrics import ProviderCounts
from cartrita.domain.ports.relay_monitors import RelayMonitor
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.gateway.answer_copies import AnswerCopy
from cartrita.gateway.answers import Answer
from cartrita.gateway.routed_answers import RoutedAnswer

log = structlog.get_logger(__name__)

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WHOLE = (FinishReason.STOP, FinishReason.LENGTH)


class ReplayedAnswer:
    """A kept answer; implements `Answer`."""

    def __init__(self, kept: CachedAnswer, request: bytes | None) -> None:
        """An answer to the same `request` is given in its bytes: see `SharedAnswers.open`."""
        relayed = kept.relayed
        same = relayed is not None and relayed.request == request
        self.kept = kept
        self._body = relayed.body if relayed is not None and same else None
        self.provider = kept.provider
        self.model = kept.model
        self.answered_as = answered_as(kept.deltas, kept.model)
        self.receipts = kept.receipts
        self.failovers: tuple[Failover, ...] = ()
        self.headers = _NO_HEADERS
        self.relayed = self._body is not None
        self.monitor: RelayMonitor | None = None
        self.usage = kept.usage
        self.cache: str | None = "hit"
        self.begun = self.complete = False
        """Whether any of it was read, and whether all of it was."""
        self.items = self._replay()

    async def _replay(self) -> AsyncGenerator[bytes | Delta]:
        if self._body is not None:
            self.begun = True
            yield self._body
            self.complete = True
            return
        yield Accepted(self.provider, self.model, self.receipts, answered_as=self.answered_as)
        for delta in self.kept.deltas:
            self.begun, self.complete = True, isinstance(delta, Finished)
            yield delta


class _Flight:
    """A call that is on its way, for whose answer others wait.

    `left` is true at its end if its caller went away before it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held = 0.0
        self._held_since: float | None = None
        self.landed = asyncio.Event()
        self.left = True

    async def passed_on(self, items: AsyncIterator[bytes | Delta]) -> AsyncGenerator[bytes | Delta]:
        """The items, while the time that its caller takes for each is measured."""
        self._held, self._held_since = self._held_up(), None
        async for item in items:
            self.hold()
            yield item
            self._held, self._held_since = self._held_up(), None
        self.hold()

    def hold(self) -> None:
        """From now on its caller holds it up, until asking for the next item."""
        self._held_since = self._clock()

    async def wait(self, longest: float) -> bool:
        """Wait for its end; false once its caller has held it up for `longest` seconds."""
        while (left := longest - self._held_up()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.landed.wait(), max(left, longest / 4))
                return True
        return False

    def _held_up(self) -> float:
        since = self._held_since
        return self._held if since is None else self._held + self._clock() - since


class SharedAnswers:
    """Answers calls from a cache. A cache that cannot be reached is one without the answer.

    Nobody waits for one who takes more than `patience` seconds to read the answer.
    """

    def __init__(
        self,
        cache: AnswerCache,
        *,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        counts: ProviderCounts = UNCOUNTED,
    ) -> None:
        self._counts = counts
        self._cache = cache
        self._patience = patience
        self._clock = clock
        self._flights: dict[CacheKey, _Flight] = {}

    @asynccontextmanager
    async def open(
        self,
        key: CacheKey,
        ttl: float,
        request: bytes | None,
        ask: Callable[[], AbstractAsyncContextManager[RoutedAnswer]],
    ) -> AsyncGenerator[Answer]:
        """The kept answer of this key, or the one that `ask` gets, which is then kept.

        The kept one is younger than `ttl` seconds, and stays for at least that long.

        `request` is the key of the body, if it can be relayed: an answer that was relayed is kept
        in its bytes too, and given in them to whoever sends the same body.
        Whoever comes while it is asked for waits for it. If the caller who asked goes away, another
        one asks, also if that caller does not read it; if it fails, each asks for itself.
        """
        kept = await self._kept(key, ttl)
        self._counts.looked_up(hit=kept is not None)
        if kept is not None:
            replayed = ReplayedAnswer(kept, request)
            async with aclosing(replayed.items):
                yield replayed
            return
        flight = _Flight(self._clock)
        self._flights.setdefault(key, flight)
        try:
            async with ask() as answer:
                answer.cache = "miss"
                copy = answer.copied()
                flight.hold()
                answer.items = items = flight.passed_on(answer.items)
                async with aclosing(items):
                    yield answer
                kept = _cached(answer, copy, request)
                flight.left = kept is None
                if kept is not None and _is_whole(kept):
                    await self._put(key, kept, ttl)
        except CartritaError:
            flight.left = False
            raise
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.landed.set()

    async def _kept(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """The kept answer, after that of a call on its way; None for who has to ask."""
        while (kept := await self._get(key, ttl)) is None:
            flight = self._flights.get(key)
            if flight is None:
                return None
            if not await flight.wait(self._patience):
                if self._flights.get(key) is flight:
                    del self._flights[key]
            elif not flight.left:
                return await self._get(key, ttl)
        return kept

    async def _get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        try:
            return await self._cache.get(key, ttl)
        except CartritaError as error:
            log.warning("cache_not_read", code=error.code)
            return None

    async def _put(self, key: CacheKey, kept: CachedAnswer, ttl: float) -> None:
        try:
            await self._cache.put(key, kept, ttl)
        except CartritaError as error:
            log.warning("cache_not_written", code=error.code)


def _cached(answer: RoutedAnswer, copy: AnswerCopy, request: bytes | None) -> CachedAnswer | None:
    """What is kept of an answer; None if it is not complete."""
    deltas = copy.deltas(answer.monitor)
    if not deltas or not isinstance(deltas[-1], Finished):
        return None
    body = copy.body
    relayed = None if body is None or request is None else RelayedBytes(request, body)
    return CachedAnswer(
        provider=answer.provider,
        model=answer.model,
        deltas=tuple(deltas),
        receipts=answer.receipts,
        relayed=relayed,
    )


def _is_whole(kept: CachedAnswer) -> bool:
    return kept.finished is not None and kept.finished.reason in _WHOLE
