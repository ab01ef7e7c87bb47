"""Where the web is searched, for whom, and how long results are kept."""

import pytest
from tests.backend.fake_services import OWN, Calls, FakeEngine, principal

from cartrita.application.search.web_search import WebSearches
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound, UpstreamUnreachable
from cartrita.domain.scopes import Operation, Scopes
from cartrita.domain.web import LONGEST_QUERY, Topic, WebQuery

QUERY = WebQuery(text="moss")


class Searching:
    """Tavily without a key, Brave that needs one, and SearXNG."""

    def __init__(self, *, usual: str | None = None, keyless: bool = True) -> None:
        self.fake = Calls()
        self.tavily = FakeEngine("tavily", needs_key=not keyless)
        self.brave = FakeEngine("brave", needs_key=True)
        self.searxng = FakeEngine("searxng")
        self.engines = [self.tavily, self.brave]
        self.usual = usual

    @property
    def web(self) -> WebSearches:
        return WebSearches(
            self.engines,
            self.fake.calls,
            usual=self.usual,
            unconfigured={"searxng": "Please give it an address."},
            clock=self.fake.time.clock,
        )

    async def provider(self, scopes: Scopes | None = None) -> str:
        """Which searches where none is named."""
        caller = principal(scopes=scopes or Scopes())
        return (await self.web.search(caller, QUERY)).provider


async def test_a_named_provider() -> None:
    found = await Searching().web.search(principal(), QUERY, "tavily")
    assert (found.provider, found.results[0].title) == ("tavily", "moss")


async def test_a_provider_that_is_not_configured() -> None:
    with pytest.raises(NotFound, match="give it an address") as caught:
        await Searching().web.search(principal(), QUERY, "searxng")
    assert caught.value.code == "provider_not_configured"


@pytest.mark.parametrize("name", ["local", "nobody"])
async def test_a_provider_that_nobody_knows(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await Searching().web.search(principal(), QUERY, name)
    problem = "choose one of tavily, brave, searxng, or local"
    assert caught.value.fields == {"provider": [problem]}


async def test_the_usual_provider() -> None:
    searching = Searching()
    assert await searching.provider() == "tavily"
    searching.engines.append(searching.searxng)
    assert await searching.provider() == "searxng"
    searching.brave.key = "key"
    assert await searching.provider() == "brave"
    searching.fake.paying.of_owners = {"ann": {"tavily": OWN}}
    assert await searching.provider() == "tavily"
    searching.usual = "brave"
    assert await searching.provider() == "brave"


async def test_the_usual_provider_is_one_that_the_key_may_use() -> None:
    searching = Searching()
    searching.engines.append(searching.searxng)
    assert await searching.provider(Scopes(providers=("tavily",))) == "tavily"
    with pytest.raises(NotFound, match="SEARXNG_BASE_URL"):
        await searching.provider(Scopes(providers=("brave", "openai")))


async def test_nothing_that_may_be_asked() -> None:
    with pytest.raises(NotFound, match="no search engine"):
        await Searching(keyless=False).provider()


async def test_scopes() -> None:
    searching = Searching()
    await searching.provider(Scopes(operations=(Operation.SEARCH,)))
    with pytest.raises(Forbidden) as caught:
        await searching.provider(Scopes(operations=(Operation.CHAT,)))
    assert caught.value.code == "scope_operation"
    with pytest.raises(Forbidden) as caught:
        await searching.web.search(principal(scopes=Scopes(providers=("brave",))), QUERY, "tavily")
    assert caught.value.code == "scope_provider"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (WebQuery(text=" \0 "), "query"),
        (WebQuery(text="x" * (LONGEST_QUERY + 1)), "query"),
        (WebQuery(text="moss", max_results=0), "max_results"),
        (WebQuery(text="moss", max_results=21), "max_results"),
    ],
)
async def test_bad_queries(query: WebQuery, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await Searching().web.search(principal(), query)
    assert list(caught.value.fields) == [field]


async def test_results_are_kept_for_their_owner() -> None:
    searching = Searching()
    web, asked = searching.web, searching.tavily.asked
    for text in ("moss", " moss "):
        await web.search(principal(), WebQuery(text=text), "tavily")
    assert len(asked) == 1
    await web.search(principal("bob"), QUERY, "tavily")
    assert len(asked) == 2
    await web.search(principal(), WebQuery(text="moss", topic=Topic.NEWS), "tavily")
    assert len(asked) == 3
    searching.fake.time.now += 300.0
    await web.search(principal(), QUERY, "tavily")
    assert len(asked) == 4


async def test_kept_results_are_not_for_a_key_that_may_not_search() -> None:
    searching = Searching()
    web = searching.web
    await web.search(principal(), QUERY, "tavily")
    with pytest.raises(Forbidden):
        await web.search(principal(scopes=Scopes(providers=("brave",))), QUERY, "tavily")


async def test_without_a_network_it_says_what_can_be_searched() -> None:
    searching = Searching()
    searching.tavily.failures = [
        UpstreamUnreachable("tavily cannot be reached: its name is not known.", provider="tavily")
    ]
    with pytest.raises(UpstreamUnreachable) as caught:
        await searching.web.search(principal(), QUERY)
    assert "its name is not known" in caught.value.message
    assert "your own conversations and files" in caught.value.message
