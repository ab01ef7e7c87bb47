"""Analytics: whose, for whom, and of how long a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cartrita.application.analytics import AdminAnalytics
from cartrita.domain.accounts import Tenant
from cartrita.domain.analytics import Analytics, AnalyticsQuery
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound
from cartrita.domain.principals import Principal

OPERATOR = Principal("local", "k", admin=True)
ADMIN = Principal("ann", "k", tenant_id="acme", admin=True)
MEMBER = Principal("bob", "k", tenant_id="acme")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
NOTHING = Analytics(
    active_users=0,
    active_conversations=0,
    activity=(),
    runs=(),
    surfaces=(),
    providers=(),
    spenders=(),
)


class Reader:
    """Records what it was asked for, and finds nothing."""

    def __init__(self) -> None:
        self.asked: list[AnalyticsQuery] = []

    async def analytics(self, query: AnalyticsQuery) -> Analytics:
        self.asked.append(query)
        return NOTHING


class Tenants:
    """Shows admins their own tenant, and the operator all."""

    async def get(self, by: Principal, tenant_id: str) -> Tenant:
        if not (by.operator or by.tenant_id == tenant_id):
            raise NotFound("There is no such tenant.", code="tenant_not_found")
        return Tenant(id=tenant_id, name=tenant_id, created_at=NOON)


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def analytics(reader: Reader) -> AdminAnalytics:
    tenants: Any = Tenants()
    return AdminAnalytics(reader, tenants)


@pytest.mark.parametrize(
    ("by", "tenant_id", "of"),
    [
        (OPERATOR, None, None),
        (OPERATOR, "acme", "acme"),
        (ADMIN, None, "acme"),
        (ADMIN, "acme", "acme"),
    ],
)
async def test_whose_they_are(
    reader: Reader, analytics: AdminAnalytics, by: Principal, tenant_id: str | None, of: str | None
) -> None:
    assert await analytics.read(by, tenant_id=tenant_id) == NOTHING
    [query] = reader.asked
    assert query.tenant_id == of
    assert query.until - query.since == timedelta(days=30)


async def test_for_whom_they_are_not(reader: Reader, analytics: AdminAnalytics) -> None:
    with pytest.raises(Forbidden):
        await analytics.read(MEMBER)
    with pytest.raises(NotFound):
        await analytics.read(ADMIN, tenant_id="other")
    assert reader.asked == []


async def test_the_time_is_bounded(analytics: AdminAnalytics) -> None:
    longest = timedelta(days=93)
    assert await analytics.read(OPERATOR, since=NOON - longest, until=NOON) == NOTHING
    with pytest.raises(InvalidInput, match="93 days"):
        await analytics.read(OPERATOR, since=NOON - longest - timedelta(1), until=NOON)
