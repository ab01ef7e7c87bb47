"""Ports of others, counted on the way: each passes on what it is asked."""

from collections.abc import Sequence

from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.counts import Counts
from cartrita.domain.budgets import Settlement
from cartrita.domain.cached_answers import CachedAnswer, CacheKey
from cartrita.domain.errors import CartritaError
from cartrita.domain.ledger import LedgerEntry
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.domain.ports.ledger import UsageLedger


class CountedLedger:
    """Implements `UsageLedger` by another one."""

    def __init__(self, ledger: UsageLedger, counts: Counts) -> None:
        self._ledger = ledger
        self._counts = counts

    def record(self, entry: LedgerEntry, settlements: Sequence[Settlement] = ()) -> None:
        """See `UsageLedger`."""
        self._ledger.record(entry, settlements)
        self._counts.called(entry)


class CountedCache:
    """Implements `AnswerCache` by another one."""

    def __init__(self, cache: AnswerCache, catalogue: Catalogue) -> None:
        self._cache = cache
        self._all = catalogue

    async def get(self, key: CacheKey, ttl: float) -> CachedAnswer | None:
        """See `AnswerCache`."""
        try:
            return await self._cache.get(key, ttl)
        except CartritaError:
            self._all.cache.add(("unavailable",))
            raise

    async def put(self, key: CacheKey, answer: CachedAnswer, ttl: float) -> None:
        """See `AnswerCache`."""
        await self._cache.put(key, answer, ttl)
        self._all.cached.add(())
