"""The ports of the usage ledger."""

from collections.abc import Sequence
from typing import Protocol

from cartrita.domain.budgets import Settlement
from cartrita.domain.ledger import (
    LedgerEntry,
    TimelineStep,
    UsageInterval,
    UsageQuery,
    UsageTotals,
)


class UsageLedger(Protocol):
    """Keeps what model calls used."""

    def record(self, entry: LedgerEntry, settlements: Sequence[Settlement] = ()) -> None:
        """Accept an entry, which is stored soon after, in a batch. Never waits, never raises.

        What it settles of budgets is stored with it.
        """
        ...


class UsageReader(Protocol):
    """Reads what an owner's model calls used."""

    async def totals(self, query: UsageQuery, *, limit: int) -> UsageTotals:
        """The calls by group, at most so many groups, the dearest first."""
        ...

    async def timeline(
        self, query: UsageQuery, step: TimelineStep, *, limit: int
    ) -> list[UsageInterval]:
        """The calls by interval and group, the oldest first.

        Of all groups the `limit` dearest of the whole time are told apart, and the rest added up.
        """
        ...
