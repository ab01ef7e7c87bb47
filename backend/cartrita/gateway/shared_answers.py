"""Shared answers: equal requests get one that is kept, or that of the one call on its way."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from types import MappingProxyType

import structlog
from msgspec.structs import replace

from cartrita.domain.cached_answers import CachedAnswer
from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.failovers import Failover
from cartrita.domain.ports.caching import ResponseCache
from cartrita.domain.usage import Usage
from cartrita.gateway.answering import Answering
from cartrita.gateway.answers import Answer, RelayMonitor

log = structlog.get_logger()

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WHOLE = (FinishReason.STOP, FinishReason.LENGTH)


class ReplayedAnswer:
    """A kept answer; implements `Answer`."""

    def __init__(self, kept: CachedAnswer) -> None:
        self._kept = kept
        self.provider = kept.provider
        self.model = kept.model
        self.receipts = kept.receipts
        self.failovers: tuple[Failover, ...] = ()
        self.headers = _NO_HEADERS
        self.relayed = False
        self.monitor: RelayMonitor | None = None
        self.cache: str | None = "hit"
        self.items = self._replay()

    async def _replay(self) -> AsyncGenerator[bytes | Delta]:
        yield Accepted(self.provider, self.model, self.receipts)
        for delta in self._kept.deltas:
            yield delta


class _Flight:
    """A call that is on its way, for whose answer others wait.

    `left` is true at its end if its caller went away before it.
    """

    def __init__(self) -> None:
        self.landed = asyncio.Event()
        self.left = True


class SharedAnswers:
    """Answers calls from a cache. A cache that cannot be reached is one without the answer."""

    def __init__(self, cache: ResponseCache) -> None:
        self._cache = cache
        self._flights: dict[bytes, _Flight] = {}

    @asynccontextmanager
    async def open(
        self, key: bytes, ttl: float, ask: Callable[[], AbstractAsyncContextManager[Answering]]
    ) -> AsyncGenerator[Answer]:
        """The kept answer of this key, or the one that `ask` gets, which is then kept for `ttl`.

        Whoever comes while it is asked for waits for it. If the caller who asked goes away, another
        one asks; if it fails, each asks for itself.
        """
        kept = await self._kept(key)
        if kept is not None:
            replayed = ReplayedAnswer(kept)
            async with aclosing(replayed.items):
                yield replayed
            return
        flight = _Flight()
        self._flights.setdefault(key, flight)
        try:
            async with ask() as answer:
                answer.cache = "miss"
                recorded = answer.record()
                yield answer
                flight.left = not await self._keep(key, ttl, answer, recorded)
        except CartritaError:
            flight.left = False
            raise
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.landed.set()

    async def _kept(self, key: bytes) -> CachedAnswer | None:
        """The kept answer, after that of a call on its way; None for who has to ask."""
        while (kept := await self._get(key)) is None:
            flight = self._flights.get(key)
            if flight is None:
                return None
            await flight.landed.wait()
            if not flight.left:
                return await self._get(key)
        return kept

    async def _get(self, key: bytes) -> CachedAnswer | None:
        try:
            return await self._cache.get(key)
        except CartritaError as error:
            log.warning("cache_not_read", code=error.code)
            return None

    async def _keep(self, key: bytes, ttl: float, answer: Answering, recorded: list[Delta]) -> bool:
        """Keep an answer if it can be; false if it is not complete."""
        deltas = _deltas(answer.monitor, recorded)
        finished = deltas[-1] if deltas else None
        if not isinstance(finished, Finished):
            return False
        if finished.reason in _WHOLE:
            kept = CachedAnswer(
                provider=answer.provider,
                model=answer.model,
                deltas=tuple(deltas),
                receipts=answer.receipts,
            )
            try:
                await self._cache.put(key, kept, ttl)
            except CartritaError as error:
                log.warning("cache_not_written", code=error.code)
        return True


def _deltas(monitor: RelayMonitor | None, recorded: list[Delta]) -> list[Delta]:
    """All deltas of an answer, also of the part that was relayed; none if that was too long."""
    deltas: list[Delta] = [delta for delta in recorded if not isinstance(delta, Accepted)]
    if monitor is None:
        return deltas
    try:
        relayed: list[Delta] = [one for one in monitor.deltas() if not isinstance(one, Accepted)]
    except CartritaError:
        return []
    if deltas or not monitor.complete:
        return relayed + deltas
    # What was passed on may lack the usage, and does where the caller did not ask for it.
    last = relayed[-1] if relayed else None
    if isinstance(last, Finished):
        return [*relayed[:-1], replace(last, usage=monitor.usage or last.usage)]
    reason = monitor.finish_reason or FinishReason.STOP
    return [*relayed, Finished(reason, monitor.usage or Usage())]
