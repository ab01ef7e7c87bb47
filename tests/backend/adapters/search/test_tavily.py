"""Tavily is asked as it wants to be, and each of its errors says what to do."""

from datetime import UTC, datetime

import pytest
from tests.backend.adapters.search.conftest import Address
from tests.harness.search_services import tavily
from tests.harness.search_services.exchange import KEY, Reply
from tests.harness.search_services.server import SearchServices

from cartrita.adapters.search.tavily import Tavily
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.web import TimeRange, Topic, WebQuery
from cartrita.kit.secret import Secret


async def test_a_search(address: Address, services: SearchServices) -> None:
    found = await Tavily(address("tavily")).search(
        WebQuery(
            text="moss",
            max_results=3,
            topic=Topic.NEWS,
            time_range=TimeRange.WEEK,
            include_answer=True,
        )
    )
    assert (found.provider, found.answer) == ("tavily", "In short: moss.")
    assert [one.title for one in found.results] == ["moss 0", "moss 1", "moss 2"]
    first = found.results[0]
    assert (first.url, first.score) == ("https://example.com/0", 0.99)
    assert first.content == "What page 0 says of moss."
    assert first.published_at == datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    (asked,) = services.asked
    assert asked.bearer == KEY
    assert asked.body == {
        "query": "moss",
        "topic": "news",
        "max_results": 3,
        "include_answer": True,
        "time_range": "week",
    }


async def test_a_search_without_a_key(address: Address, services: SearchServices) -> None:
    engine = Tavily(address("tavily", ""))
    assert not engine.has_key
    found = await engine.search(WebQuery(text="moss", max_results=1))
    assert len(found.results) == 1
    assert found.answer is None
    (asked,) = services.asked
    assert "authorization" not in asked.headers
    assert asked.headers["x-client-source"] == "cartrita"


@pytest.mark.parametrize(
    ("status", "kind", "code", "words"),
    [
        (401, UpstreamAuth, "upstream_auth", "Check the key"),
        (429, UpstreamLimited, "upstream_rate_limited", "CARTRITA_PROVIDER_LIMITS"),
        (432, UpstreamQuota, "upstream_plan_limit", "wait for the next month"),
        (433, UpstreamQuota, "upstream_spending_limit", "pay-as-you-go"),
        (500, UpstreamOverloaded, "upstream_overloaded", "failed to answer"),
    ],
)
async def test_each_error_has_its_code_and_its_advice(
    address: Address,
    services: SearchServices,
    status: int,
    kind: type[UpstreamError],
    code: str,
    words: str,
) -> None:
    services.answer_next("tavily", tavily.error(status))
    with pytest.raises(kind) as caught:
        await Tavily(address("tavily")).search(WebQuery(text="moss"))
    assert (caught.value.code, caught.value.status) == (code, status)
    assert words in caught.value.message


async def test_what_is_refused_is_told_in_its_words(
    address: Address, services: SearchServices
) -> None:
    with pytest.raises(UpstreamRejected, match="Query is missing"):
        await Tavily(address("tavily")).search(WebQuery(text=""))


async def test_a_limit_of_searches_without_a_key(
    address: Address, services: SearchServices
) -> None:
    services.answer_next("tavily", tavily.keyless_error(seconds=3600))
    with pytest.raises(UpstreamLimited, match="TAVILY_API_KEY") as caught:
        await Tavily(address("tavily", "")).search(WebQuery(text="moss"))
    assert (caught.value.code, caught.value.retry_after) == ("upstream_keyless_limit", 3600)


async def test_searches_without_a_key_may_be_refused_for_good(
    address: Address, services: SearchServices
) -> None:
    services.answer_next("tavily", tavily.keyless_error(403, "keyless_unavailable", None))
    with pytest.raises(UpstreamAuth, match="TAVILY_API_KEY") as caught:
        await Tavily(address("tavily", "")).search(WebQuery(text="moss"))
    assert caught.value.code == "upstream_keyless_refused"


async def test_a_key_is_tested_without_a_search(address: Address, services: SearchServices) -> None:
    engine = Tavily(address("tavily", ""))
    await engine.with_key(Secret(KEY)).test_key()
    with pytest.raises(UpstreamAuth):
        await engine.with_key(Secret("tvly-wrong")).test_key()
    assert {one.path for one in services.asked} == {"/usage"}


async def test_an_error_does_not_repeat_the_key(address: Address, services: SearchServices) -> None:
    services.answer_next("tavily", Reply(400, {"detail": {"error": f"Not {KEY}!"}}))
    with pytest.raises(UpstreamRejected) as caught:
        await Tavily(address("tavily")).search(WebQuery(text="moss"))
    assert KEY not in caught.value.message
    assert "***" in caught.value.message


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, "<html>"), "a web page"),
        (Reply(200, []), "no JSON object"),
        (Reply(302, {}, {"Location": "https://example.com"}), "redirect"),
        (Reply(404, "<html>"), "Check its base URL"),
    ],
)
async def test_another_server_at_its_address(
    address: Address, services: SearchServices, reply: Reply, words: str
) -> None:
    services.answer_next("tavily", reply)
    with pytest.raises(UpstreamMalformed, match=words):
        await Tavily(address("tavily")).search(WebQuery(text="moss"))
