"""SearXNG is asked as it wants to be, and its errors say what to do."""

from datetime import UTC, datetime

import pytest
from tests.backend.adapters.search.conftest import Address
from tests.harness.search_services import searxng
from tests.harness.search_services.exchange import Reply
from tests.harness.search_services.server import SearchServices

from cartrita.adapters.search.searxng import SearXNG
from cartrita.domain.errors import UpstreamLimited, UpstreamOverloaded, UpstreamRejected
from cartrita.domain.web import TimeRange, Topic, WebQuery
from cartrita.kit.secret import Secret


async def test_a_search(address: Address, services: SearchServices) -> None:
    found = await SearXNG(address("searxng")).search(
        WebQuery(text="moss & fern", max_results=3, topic=Topic.NEWS, time_range=TimeRange.DAY)
    )
    assert [one.title for one in found.results] == [f"moss & fern {n}" for n in range(3)]
    assert [one.score for one in found.results] == [1.0, 0.5, 0.3333]
    assert found.results[0].published_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert found.results[1].published_at is None
    assert found.answer is None
    assert services.asked[0].query == {
        "q": "moss & fern",
        "format": "json",
        "categories": "news",
        "time_range": "day",
    }


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([{"answer": "42", "url": None}], "42"),
        (["", "43"], "43"),
        ([], "Moss is a plant."),
        (None, "Moss is a plant."),
    ],
)
async def test_answers_of_its_own(
    address: Address, services: SearchServices, answers: object, told: str
) -> None:
    found = {"results": [], "answers": answers, "infoboxes": [{"content": "Moss is a plant."}]}
    services.answer_next("searxng", Reply(200, found))
    results = await SearXNG(address("searxng")).search(WebQuery(text="moss", include_answer=True))
    assert results.answer == told


async def test_an_instance_without_json(address: Address, services: SearchServices) -> None:
    services.answer_next("searxng", searxng.FORBIDDEN)
    with pytest.raises(UpstreamRejected, match=r"search\.formats"):
        await SearXNG(address("searxng")).search(WebQuery(text="moss"))


async def test_an_instance_whose_engines_are_silent(
    address: Address, services: SearchServices
) -> None:
    services.answer_next("searxng", searxng.nothing("google", "bing"), searxng.nothing())
    engine = SearXNG(address("searxng"))
    with pytest.raises(UpstreamOverloaded, match="google timeout, bing timeout"):
        await engine.search(WebQuery(text="moss"))
    assert (await engine.search(WebQuery(text="moss"))).results == ()


async def test_an_instance_that_is_asked_too_often(
    address: Address, services: SearchServices
) -> None:
    services.answer_next("searxng", Reply(429, "<html>Too Many Requests"))
    with pytest.raises(UpstreamLimited):
        await SearXNG(address("searxng")).search(WebQuery(text="moss"))


async def test_it_has_no_key(address: Address) -> None:
    engine = SearXNG(address("searxng"))
    assert (engine.needs_key, engine.has_key) == (False, False)
    assert engine.with_key(Secret("x")) is engine
    await engine.test_key()
