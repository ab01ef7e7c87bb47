"""The port of analytics."""

from typing import Protocol

from cartrita.domain.analytics import Analytics, AnalyticsQuery


class AnalyticsReader(Protocol):
    """Adds up what is in the ledger and in the table of runs."""

    async def analytics(self, query: AnalyticsQuery) -> Analytics:
        """What happened. It reads every call and run of that time."""
        ...
