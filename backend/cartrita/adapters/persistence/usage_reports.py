"""Reports of what an owner's calls used, read from the ledger: implements `UsageReader`."""

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.usage_timeline import (
    dearest_query,
    timeline_query,
    to_interval,
)
from cartrita.adapters.persistence.usage_totals import to_totals, totals_query
from cartrita.domain.ledger import TimelineStep, UsageInterval, UsageQuery, UsageTotals


class UsageReportTable:
    """Adds up the rows of the ledger; what it reads of them is an owner's in a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self, query: UsageQuery, *, limit: int) -> UsageTotals:
        """See `UsageReader`."""
        async with self._database.use() as connection:
            rows = (await connection.execute(totals_query(query, limit))).all()
        return to_totals(rows)

    async def timeline(
        self, query: UsageQuery, step: TimelineStep, *, limit: int
    ) -> list[UsageInterval]:
        """See `UsageReader`."""
        async with self._database.use() as connection:
            apart = (await connection.scalars(dearest_query(query, limit))).all()
            found = await connection.execute(timeline_query(query, step, apart))
            return [to_interval(row) for row in found]
