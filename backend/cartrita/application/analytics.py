"""Analytics, as those read them who administer the users that they are of."""

from datetime import datetime, timedelta
from typing import Final

from cartrita.application.accounts.tenants import Tenants
from cartrita.application.usage import period
from cartrita.domain.analytics import Analytics, AnalyticsQuery, AnalyticsStep
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ports.analytics import AnalyticsReader
from cartrita.domain.principals import Principal

LONGEST: Final = timedelta(days=93)
"""All calls and runs of the time are read, so that it has to be bounded."""


class AdminAnalytics:
    """Sums over users: what they said is nobody else's."""

    def __init__(self, reader: AnalyticsReader, tenants: Tenants) -> None:
        self._reader = reader
        self._tenants = tenants

    async def read(
        self,
        by: Principal,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: AnalyticsStep = AnalyticsStep.DAY,
        tenant_id: str | None = None,
    ) -> Analytics:
        """What the users of a tenant did, or all whom the caller administers.

        By default in the last 30 days. Raises Forbidden, NotFound and InvalidInput.
        """
        by.require_admin()
        if tenant_id is not None:
            await self._tenants.get(by, tenant_id)
        elif not by.operator:
            tenant_id = by.tenant_id
        since, until = period(since, until)
        if until - since > LONGEST:
            raise InvalidInput.of("since", f"ask for at most {LONGEST.days} days")
        query = AnalyticsQuery(tenant_id=tenant_id, since=since, until=until, step=step)
        return await self._reader.analytics(query)
