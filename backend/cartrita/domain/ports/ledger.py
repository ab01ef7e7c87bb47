"""The ports of the usage ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cartrita.domain.budgets import Settlement
from cartrita.domain.ledger import (
    LedgerEntry,
    TimelineStep,
    UsageGrouping,
    UsageInterval,
    UsageTotal,
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

    async def totals(
        self, owner_id: str, since: datetime, until: datetime, grouping: UsageGrouping
    ) -> list[UsageTotal]:
        """The calls from `since` to before `until` by group, the dearest first."""
        ...

    async def timeline(
        self, owner_id: str, since: datetime, until: datetime, step: TimelineStep
    ) -> list[UsageInterval]:
        """The calls from `since` to before `until` by interval and provider, the oldest first."""
        ...
