"""The ledger and the cache do what they did before, and are counted."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from tests.backend.adapters.metrics.test_counts import entry

from cartrita.adapters.metrics.metrics import Metrics
from cartrita.domain.budgets import Settlement
from cartrita.domain.cached_answers import CachedAnswer
from cartrita.domain.errors import Unavailable
from cartrita.domain.ledger import LedgerEntry

KEY: Any = "key"


class Ledger:
    def __init__(self) -> None:
        self.recorded: list[tuple[LedgerEntry, Sequence[Settlement]]] = []

    def record(self, entry: LedgerEntry, settlements: Sequence[Settlement] = ()) -> None:
        self.recorded.append((entry, settlements))


class Cache:
    """One that has what was put, unless it is away."""

    def __init__(self) -> None:
        self.kept: dict[Any, CachedAnswer] = {}
        self.away = False

    async def get(self, key: Any, ttl: float) -> CachedAnswer | None:
        if self.away:
            raise Unavailable("It is away.")
        return self.kept.get(key)

    async def put(self, key: Any, answer: CachedAnswer, ttl: float) -> None:
        self.kept[key] = answer


def test_the_ledger_gets_what_it_got() -> None:
    ledger, metrics = Ledger(), Metrics()
    recorded, settlements = entry(cost=Decimal(1)), [object()]
    metrics.ledger(ledger).record(recorded, settlements)  # pyright: ignore[reportArgumentType]
    assert ledger.recorded == [(recorded, settlements)]
    assert sum(value for (value,) in metrics.all.calls.values.values()) == 1


async def test_the_cache_is_counted() -> None:
    cache, metrics = Cache(), Metrics()
    counted = metrics.cache(cache)
    answer = CachedAnswer(provider="p", model="m", deltas=())
    assert await counted.get(KEY, 9) is None
    await counted.put(KEY, answer, 9)
    assert await counted.get(KEY, 9) is answer
    cache.away = True
    with pytest.raises(Unavailable):
        await counted.get(KEY, 9)
    assert metrics.all.cache.values == {("unavailable",): [1.0]}
    assert metrics.all.cached.values == {(): [1.0]}
