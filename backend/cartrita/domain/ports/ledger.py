"""The ports of the usage ledger."""

from datetime import datetime
from typing import Protocol

from cartrita.domain.ledger import LedgerEntry, UsageGrouping, UsageTotal


class UsageLedger(Protocol):
    """Keeps what model calls used."""

    def record(self, entry: LedgerEntry) -> None:
        """Accept an entry, which is stored soon after, in a batch. Never waits, never raises."""
        ...


class UsageReader(Protocol):
    """Reads what an owner's model calls used."""

    async def totals(
        self, owner_id: str, since: datetime, until: datetime, grouping: UsageGrouping
    ) -> list[UsageTotal]:
        """The calls from `since` to before `until` by group, the dearest first."""
        ...
