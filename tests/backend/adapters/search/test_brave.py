"""Brave is asked as it wants to be, and each of its errors says what to do."""

from datetime import UTC, datetime

import pytest
from tests.backend.adapters.search.conftest import Address
from tests.harness.search_services import brave
from tests.harness.search_services.exchange import KEY
from tests.harness.search_services.server import SearchServices

from cartrita.adapters.search.brave import Brave
from cartrita.domain.errors import UpstreamAuth, UpstreamLimited, UpstreamQuota, UpstreamRejected
from cartrita.domain.web import TimeRange, Topic, WebQuery
from cartrita.kit.secret import Secret


async def test_a_search(address: Address, services: SearchServices) -> None:
    found = await Brave(address("brave")).search(
        WebQuery(text="moss", max_results=2, time_range=TimeRange.MONTH)
    )
    assert [one.title for one in found.results] == ["moss & 0", "moss & 1"]
    first = found.results[0]
    assert first.content == "Of moss, page 0: 1 < 2"
    assert [one.score for one in found.results] == [1.0, 0.5]
    assert first.published_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    (asked,) = services.asked
    assert asked.headers["x-subscription-token"] == KEY
    assert asked.query["freshness"] == "pm"


async def test_news_are_searched_elsewhere(address: Address, services: SearchServices) -> None:
    found = await Brave(address("brave")).search(WebQuery(text="moss", topic=Topic.NEWS))
    assert len(found.results) == 5
    assert services.asked[0].path == "/res/v1/news/search"


async def test_of_a_long_query_the_beginning_is_searched(
    address: Address, services: SearchServices
) -> None:
    await Brave(address("brave")).search(WebQuery(text="moss " * 300))
    assert services.asked[0].query["q"] == " ".join(["moss"] * 50)


async def test_a_key_that_is_not_accepted(address: Address) -> None:
    engine = Brave(address("brave", ""))
    await engine.with_key(Secret(KEY)).test_key()
    with pytest.raises(UpstreamAuth) as caught:
        await engine.with_key(Secret("wrong")).test_key()
    assert caught.value.status == 422


async def test_a_query_that_is_not_accepted(address: Address) -> None:
    with pytest.raises(UpstreamRejected, match="Unable to validate"):
        await Brave(address("brave")).search(WebQuery(text=""))


async def test_the_limit_of_a_second(address: Address, services: SearchServices) -> None:
    services.answer_next("brave", brave.error(429, "RATE_LIMITED", "Request rate limit exceeded"))
    with pytest.raises(UpstreamLimited, match="rate limit exceeded") as caught:
        await Brave(address("brave")).search(WebQuery(text="moss"))
    assert caught.value.retry_after == 1.0


@pytest.mark.parametrize(
    ("code", "remaining"), [("QUOTA_LIMITED", "0, 12"), ("RATE_LIMITED", "0, 0")]
)
async def test_the_limit_of_a_month(
    address: Address, services: SearchServices, code: str, remaining: str
) -> None:
    services.answer_next("brave", brave.error(429, code, "No more.", remaining=remaining))
    with pytest.raises(UpstreamQuota) as caught:
        await Brave(address("brave")).search(WebQuery(text="moss"))
    assert caught.value.code == "upstream_plan_limit"


async def test_a_limit_without_numbers(address: Address, services: SearchServices) -> None:
    refusal = brave.error(429, "RATE_LIMITED", "No more.", remaining="", reset="soon")
    services.answer_next("brave", refusal)
    with pytest.raises(UpstreamLimited) as caught:
        await Brave(address("brave")).search(WebQuery(text="moss"))
    assert caught.value.retry_after == 1.0
