"""The port of the usage ledger."""

from typing import Protocol

from cartrita.domain.ledger import LedgerEntry


class UsageLedger(Protocol):
    """Keeps what model calls used."""

    def record(self, entry: LedgerEntry) -> None:
        """Accept an entry, which is stored soon after, in a batch. Never waits, never raises."""
        ...
