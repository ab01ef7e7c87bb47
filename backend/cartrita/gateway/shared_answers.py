"""Shared answers: equal requests get one that is kept, or that of the one call on its way."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from types import MappingProxyType

import structlog

from cartrita.domain.cached_answers import CachedAnswer, RelayedBytes
from cartrita.domain.deltas import Accepted, Delta, Finished, FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.failovers import Failover
from cartrita.domain.ports.caching import ResponseCache
from cartrita.gateway.answering import Answering
from cartrita.gateway.answers import Answer, Relayable, RelayMonitor
from cartrita.gateway.caching import body_key
from cartrita.gateway.recordings import Recording

log = structlog.get_logger()

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WHOLE = (FinishReason.STOP, FinishReason.LENGTH)


class ReplayedAnswer:
    """A kept answer; implements `Answer`."""

    def __init__(self, kept: CachedAnswer, relay: Relayable | None = None) -> None:
        """With `relay`, the request may be answered by the bytes of an answer to an equal one."""
        self._kept = kept
        self._body = _body(kept, relay)
        self.provider = kept.provider
        self.model = kept.model
        self.receipts = kept.receipts
        self.failovers: tuple[Failover, ...] = ()
        self.headers = _NO_HEADERS
        self.relayed = self._body is not None
        self.monitor: RelayMonitor | None = None
        self.cache: str | None = "hit"
        self.items = self._replay()

    async def _replay(self) -> AsyncGenerator[bytes | Delta]:
        if self._body is not None:
            yield self._body
            return
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
        self,
        key: bytes,
        ttl: float,
        relay: Relayable | None,
        ask: Callable[[], AbstractAsyncContextManager[Answering]],
    ) -> AsyncGenerator[Answer]:
        """The kept answer of this key, or the one that `ask` gets, which is then kept for `ttl`.

        `relay` is how the request is passed on, if it can be; an answer that was relayed is kept in
        its bytes too, and given in them to whoever sends the same request.
        Whoever comes while it is asked for waits for it. If the caller who asked goes away, another
        one asks; if it fails, each asks for itself.
        """
        kept = await self._kept(key)
        if kept is not None:
            replayed = ReplayedAnswer(kept, relay)
            async with aclosing(replayed.items):
                yield replayed
            return
        flight = _Flight()
        self._flights.setdefault(key, flight)
        try:
            async with ask() as answer:
                answer.cache = "miss"
                recording = answer.record()
                yield answer
                kept = _cached(answer, recording, relay)
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

    async def _put(self, key: bytes, kept: CachedAnswer, ttl: float) -> None:
        try:
            await self._cache.put(key, kept, ttl)
        except CartritaError as error:
            log.warning("cache_not_written", code=error.code)


def _cached(
    answer: Answering, recording: Recording, relay: Relayable | None
) -> CachedAnswer | None:
    """What is kept of an answer; None if it is not complete."""
    deltas = recording.deltas(answer.monitor)
    if not deltas or not isinstance(deltas[-1], Finished):
        return None
    body = recording.body
    relayed = None
    if body is not None and relay is not None:
        relayed = RelayedBytes(body_key(relay.rewrite(answer.model)), body)
    return CachedAnswer(
        provider=answer.provider,
        model=answer.model,
        deltas=tuple(deltas),
        receipts=answer.receipts,
        relayed=relayed,
    )


def _is_whole(kept: CachedAnswer) -> bool:
    finished = kept.deltas[-1]
    return isinstance(finished, Finished) and finished.reason in _WHOLE


def _body(kept: CachedAnswer, relay: Relayable | None) -> bytes | None:
    """The bytes that answer a request; None where they were the answer to another one."""
    if kept.relayed is None or relay is None:
        return None
    same = kept.relayed.request == body_key(relay.rewrite(kept.model))
    return kept.relayed.body if same else None
