"""The web and GitHub are searched, by whom and at whose cost, and what fails says what to do."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.search_services import github, tavily
from tests.harness.search_services.exchange import KEY as STAND_IN_KEY
from tests.harness.search_services.server import SearchServices, search_services
from tests.harness.server import NOBODY, Server
from tests.journeys.accounts import made, new_key, new_tenant, new_user

SEARCH, GITHUB = "/api/search", "/api/github/search"


@pytest.fixture(scope="module")
def running() -> Iterator[SearchServices]:
    with search_services() as services:
        yield services


@pytest.fixture
def engines(running: SearchServices) -> SearchServices:
    running.reset()
    return running


@pytest.fixture(scope="module")
def searching(provider: FakeProvider, running: SearchServices) -> Iterator[Scenario]:
    """A server without any key of these services."""
    with Server(provider_url=provider.base_url, settings=running.settings) as server:
        yield Scenario(server, provider)


def words() -> str:
    """Words that nobody has searched for yet."""
    return f"moss {uuid4().hex}"


async def search(
    scenario: Scenario, query: str, status: int = 200, key: str = "", **fields: Any
) -> dict[str, Any]:
    """What a search answers, with this status."""
    sent = {"X_API_Key": key} if key else {}
    body = {"query": query, **fields}
    told, answered = await scenario.call("POST", SEARCH, body, **sent)
    assert told == status, answered
    return answered


async def search_github(
    scenario: Scenario, query: str, status: int = 200, key: str = "", more: str = ""
) -> dict[str, Any]:
    sent = {"X_API_Key": key} if key else {}
    told, answered = await scenario.call("GET", f"{GITHUB}?q={quote(query)}{more}", None, **sent)
    assert told == status, answered
    return answered


async def test_the_web_is_searched_without_a_key(
    searching: Scenario, engines: SearchServices
) -> None:
    asked = words()
    found = await search(
        searching, asked, maxResults=2, topic="news", time_range="week", include_answer=True
    )
    assert (found["query"], found["provider"], found["total"]) == (asked, "tavily", 2)
    assert found["answer"] == f"In short: {asked}."
    assert found["results"][0] == {
        "title": f"{asked} 0",
        "url": "https://example.com/0",
        "content": f"What page 0 says of {asked}.",
        "score": 0.99,
        "published_date": "2026-11-23T10:15:00Z",
    }
    assert found["response_time"] >= 0
    assert engines.asked[0].headers["x-tavily-access-mode"] == "keyless"
    again = await search(
        searching, asked, maxResults=2, topic="news", time_range="week", include_answer=True
    )
    assert again["results"] == found["results"]
    assert len(engines.asked) == 1


async def test_another_provider(searching: Scenario, engines: SearchServices) -> None:
    found = await search(searching, words(), provider="searxng")
    assert (found["provider"], found["total"], found["answer"]) == ("searxng", 5, None)
    refused = await search(searching, words(), 404, provider="brave")
    assert refused["code"] == "provider_not_configured"
    assert "BRAVE_API_KEY" in refused["detail"]
    refused = await search(searching, words(), 422, provider="altavista")
    assert refused["errors"] == {"provider": ["choose one of tavily, brave, searxng, or local"]}


async def test_ones_own_conversations(searching: Scenario, engines: SearchServices) -> None:
    user = await new_user(searching, await new_tenant(searching))
    key = (await new_key(searching, user))["key"]
    word = f"moss{uuid4().hex}"
    chat = {"message": f"The {word} grows.", "provider": "openai", "model": "fake"}
    status, told = await searching.call("POST", "/api/chat", chat, X_API_Key=key)
    assert status == 200, told
    found = await search(searching, word, key=key, provider="local", time_range="day")
    first = found["results"][0]
    assert first["url"].startswith("/api/conversations/")
    assert word in first["content"]
    assert 0 <= first["score"] <= 1
    assert (await search(searching, word, provider="local"))["results"] == []
    assert not engines.asked


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "x" * 2001}, "query"),
        ({"query": "x", "max_results": 21}, "max_results"),
        ({"query": "x", "topic": "sports"}, "topic"),
        ({"query": "x", "time_range": "decade"}, "time_range"),
    ],
)
async def test_bad_searches(searching: Scenario, body: dict[str, Any], field: str) -> None:
    status, told = await searching.call("POST", SEARCH, body)
    assert (status, list(told["errors"])) == (422, [field])


@pytest.mark.parametrize(
    ("upstream", "status", "code"),
    [
        (401, 502, "upstream_auth"),
        (429, 429, "upstream_rate_limited"),
        (432, 502, "upstream_plan_limit"),
        (433, 502, "upstream_spending_limit"),
    ],
)
async def test_errors_of_tavily(
    searching: Scenario, engines: SearchServices, upstream: int, status: int, code: str
) -> None:
    engines.answer_next("tavily", tavily.error(upstream))
    refused = await search(searching, words(), status)
    assert (refused["code"], refused["details"]["upstream_status"]) == (code, upstream)


async def test_without_a_network_it_is_said_plainly(serve: Any, engines: SearchServices) -> None:
    scenario: Scenario = serve(settings={"TAVILY_BASE_URL": NOBODY})
    refused = await search(scenario, words(), 502)
    assert refused["code"] == "upstream_unreachable"
    assert "provider local" in refused["detail"]
    assert (await search(scenario, words(), provider="local"))["results"] == []


async def test_a_key_that_its_owner_brought(searching: Scenario, engines: SearchServices) -> None:
    user = await new_user(searching, await new_tenant(searching))
    key = (await new_key(searching, user))["key"]

    async def exchange(text: str, status: int) -> dict[str, Any]:
        body = {"provider": "tavily", "key": text}
        told, answered = await searching.call("POST", "/api/credentials", body, X_API_Key=key)
        assert told == status, answered
        return answered

    assert "key" in (await exchange("tvly-wrong", 422))["errors"]
    issued = (await exchange(STAND_IN_KEY, 201))["api_key"]
    engines.reset()
    for secret in (key, issued["key"]):
        await search(searching, words(), key=secret)
    assert [one.bearer for one in engines.asked] == [STAND_IN_KEY] * 2
    await search_github(searching, words(), 403, key=issued["key"])
    for upstream, status in ((401, 401), (432, 402), (433, 402)):
        engines.answer_next("tavily", tavily.error(upstream))
        await search(searching, words(), status, key=key)


async def test_searches_are_paid_from_budgets(searching: Scenario, engines: SearchServices) -> None:
    user = await new_user(searching, await new_tenant(searching))
    key = (await new_key(searching, user))["key"]
    credential = {"provider": "tavily", "key": STAND_IN_KEY}
    status, _ = await searching.call("POST", "/api/credentials", credential, X_API_Key=key)
    assert status == 201
    await made(searching, "PUT", f"/api/admin/users/{user}/budgets", {"day": {"money": "0.02"}})

    async def refused() -> dict[str, Any] | None:
        status, told = await searching.call("POST", SEARCH, {"query": words()}, X_API_Key=key)
        return told if status == 402 else None

    assert (await eventually(refused))["code"] == "budget_exhausted"
    await search(searching, words(), provider="searxng", key=key)
    answered = sum(one.service == "tavily" and one.path == "/search" for one in engines.asked)

    async def reported() -> dict[str, Any] | None:
        _, told = await searching.call("GET", "/api/usage?group_by=model", X_API_Key=key)
        return told if told["total_calls"] == answered + 1 else None

    usage = await eventually(reported)
    costs = {one["name"]: Decimal(one["cost"]) for one in usage["items"]}
    assert costs == {"tavily/search": answered * Decimal("0.008"), "searxng/search": 0}


async def test_a_key_of_the_provider_instead_of_ours(
    searching: Scenario, engines: SearchServices
) -> None:
    await search(searching, words(), key=STAND_IN_KEY)
    assert engines.asked[-1].bearer == STAND_IN_KEY
    await search_github(searching, words(), 403, key=STAND_IN_KEY)
    await search(searching, words(), 401, key="tvly-of-nobody")
    assert {one.path for one in engines.asked if one.bearer != STAND_IN_KEY} == {"/usage"}


async def test_scopes(searching: Scenario, engines: SearchServices) -> None:
    user = await new_user(searching, await new_tenant(searching))
    chats = (await new_key(searching, user, scopes={"operations": ["chat"]}))["key"]
    only_github = (await new_key(searching, user, scopes={"providers": ["github"]}))["key"]
    asked = words()
    await search(searching, asked)
    assert (await search(searching, asked, 403, chats))["code"] == "scope_operation"
    assert (await search(searching, asked, 403, chats, provider="local"))["code"] == (
        "scope_operation"
    )
    assert (await search(searching, asked, 403, only_github))["code"] == "scope_provider"
    await search_github(searching, asked, key=only_github)
    assert (await search_github(searching, asked, 403, chats))["code"] == "scope_operation"


async def test_github(searching: Scenario, engines: SearchServices) -> None:
    found = await search_github(searching, words(), more="&limit=2")
    assert (found["type"], found["total"], found["page"]) == ("repositories", 2345, 1)
    assert [one["metadata"]["stars"] for one in found["results"]] == [100, 99]
    issues = await search_github(searching, words(), more="&type=issues")
    assert issues["results"][1]["metadata"]["pull_request"] is True
    refused = await search_github(searching, words(), 404, more="&type=code")
    assert "GITHUB_API_KEY" in refused["detail"]
    for wrong in ("&type=wikis", "&limit=101", "&page=101"):
        await search_github(searching, words(), 422, more=wrong)
    for nothing in ("", " "):
        assert "say what to search for" in (await search_github(searching, nothing, 422))["detail"]


async def test_limits_of_github(searching: Scenario, engines: SearchServices) -> None:
    engines.answer_next("github", github.limited(seconds=50))
    status, told = await searching.call("GET", f"{GITHUB}?q={quote(words())}")
    assert (status, told["code"]) == (429, "upstream_rate_limited")
    engines.answer_next("github", github.slowed_down(seconds=55))
    refused = await search_github(searching, words(), 429)
    assert refused["code"] == "upstream_secondary_limit"


async def test_the_limit_of_calls_is_kept(serve: Any, engines: SearchServices) -> None:
    limits = {"CARTRITA_PROVIDER_LIMITS": "tavily=1/hour", "CARTRITA_LIMITS_PROVIDER_BURST": "1"}
    scenario: Scenario = serve(settings={**engines.settings, **limits})
    await search(scenario, words())
    refused = await search(scenario, words(), 429)
    assert (refused["code"], refused["details"]["provider"]) == ("rate_limited", "tavily")
    assert len(engines.asked) == 1


async def test_an_agent_searches_nothing_for_a_key_that_may_not(
    searching: Scenario, engines: SearchServices
) -> None:
    user = await new_user(searching, await new_tenant(searching))
    chats = (await new_key(searching, user, scopes={"operations": ["chat"]}))["key"]
    calls = (
        ToolCall(name="web_search", arguments={"query": words()}),
        ToolCall(name="github_search", arguments={"query": words()}),
        ToolCall(name="web_fetch", arguments={"url": "https://example.com"}),
    )
    scripts = directive(Script(tool_calls=calls), Script(text="I may not."))
    asked = len(engines.asked)
    body = {"message": f"Search. {scripts}", "agent_override": "researcher"}
    status, answer = await searching.call("POST", "/api/chat", body, X_API_Key=chats)
    assert (status, answer["response"]) == (200, "I may not."), answer
    refusal = "may not use the operation search"
    (last,) = [one for one in searching.provider.requests() if refusal in one.body]
    assert last.body.count(refusal) == len(calls)
    assert len(engines.asked) == asked
