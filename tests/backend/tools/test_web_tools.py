"""What agents are told of the web, of its pages and of GitHub."""

from datetime import UTC, datetime

import pytest
from tests.backend.tools.contexts import context

from cartrita.domain.errors import Forbidden
from cartrita.domain.github import GitHubHit, GitHubKind, GitHubQuery, GitHubResults
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Scopes
from cartrita.domain.web import TimeRange, Topic, WebPage, WebQuery, WebResult, WebResults
from cartrita.tools.github_search import github_search_tool
from cartrita.tools.tool import Risk, Source
from cartrita.tools.web_fetch import web_fetch_tool
from cartrita.tools.web_search import web_search_tool


class Web:
    """Finds what the test says, for whom it is asked."""

    def __init__(self, *results: WebResult, answer: str | None = None) -> None:
        self.results = results
        self.answer = answer
        self.asked: list[tuple[str, WebQuery]] = []

    async def search(
        self,
        principal: Principal,
        query: WebQuery,
        provider: str | None = None,
        spending: ToolSpending | None = None,
    ) -> WebResults:
        assert provider is None
        assert spending is not None
        self.asked.append((principal.owner_id, query))
        return WebResults("tavily", self.results, self.answer)


class GitHub:
    def __init__(self, *hits: GitHubHit, incomplete: bool = False) -> None:
        self.hits = hits
        self.incomplete = incomplete
        self.asked: list[GitHubQuery] = []

    async def search(
        self, principal: Principal, query: GitHubQuery, spending: ToolSpending | None = None
    ) -> GitHubResults:
        assert spending is not None
        assert principal.owner_id == "ann"
        self.asked.append(query)
        return GitHubResults(self.hits, 77, self.incomplete)


class Pages:
    def __init__(self, text: str, *, truncated: bool = False) -> None:
        self.text = text
        self.truncated = truncated

    async def fetch(self, url: str, owner_id: str = "") -> WebPage:
        return WebPage(
            url=f"{url}/",
            title="Moss",
            text=self.text,
            truncated=self.truncated,
        )


MOSS = WebResult(
    title="Moss",
    url="https://example.com/moss",
    content="It grows.",
    score=0.9,
    published_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
)
FERN = WebResult(title="Fern", url="https://example.com/fern", content="x" * 400, score=0.5)


async def test_a_search_of_the_web() -> None:
    web = Web(MOSS, FERN, answer="Plants.")
    tool = web_search_tool(web)
    output = await tool.run(
        context(), {"query": "moss", "max_results": 2, "topic": "news", "time_range": "week"}
    )
    assert output.text.startswith(
        "tavily found 2 pages.\n\nIts summary of them: Plants.\n\n"
        "Moss (2026-11-20)\nhttps://example.com/moss\nIt grows.\n\nFern\n"
    )
    assert output.sources[0] == Source("Moss", "https://example.com/moss", "It grows.")
    assert output.sources[1].snippet == "x" * 300
    asked = WebQuery(
        text="moss",
        max_results=2,
        topic=Topic.NEWS,
        time_range=TimeRange.WEEK,
        include_answer=True,
    )
    assert web.asked == [("ann", asked)]
    assert (tool.name, tool.risk, tool.parallel) == ("web_search", Risk.READ, True)


async def test_a_search_that_finds_nothing() -> None:
    output = await web_search_tool(Web()).run(context(), {"query": "moss"})
    assert (output.text, output.sources) == ("tavily found nothing for: moss", ())


async def test_wrong_arguments_are_told_to_the_model() -> None:
    for given in ({}, {"query": ""}, {"query": "x", "topic": "sports"}, {"query": "x", "n": 1}):
        output = await web_search_tool(Web()).run(context(), dict(given))
        assert not output.success
        assert "arguments are wrong" in output.text


async def test_a_page_is_read_in_parts() -> None:
    tool = web_fetch_tool(Pages("moss " * 4000), 20.0)
    first = await tool.run(context(), {"url": "https://example.com"})
    assert first.text.startswith("Moss\nhttps://example.com/\n\nmoss moss")
    assert first.text.endswith("[There is more: go on with start=16000 of 20000.]")
    assert first.sources[0].url == "https://example.com/"
    assert len(first.text) < tool.output_max_chars
    rest = await tool.run(context(), {"url": "https://example.com", "start": 16000})
    assert rest.text.endswith("moss ")
    beyond = await tool.run(context(), {"url": "https://example.com", "start": 20000})
    assert "no more text" in beyond.text
    assert not beyond.success


async def test_a_key_that_may_not_search_reads_no_page() -> None:
    chats = Principal("ann", "key", scopes=Scopes(operations=("chat",)))
    with pytest.raises(Forbidden, match="operation search"):
        await web_fetch_tool(Pages("moss"), 20.0).run(
            context(principal=chats), {"url": "https://example.com"}
        )


def test_pages_may_need_an_approval() -> None:
    assert web_fetch_tool(Pages("moss"), 20.0).risk is Risk.READ
    assert web_fetch_tool(Pages("moss"), 20.0, risk=Risk.ACT).risk is Risk.ACT


async def test_a_page_without_text_and_a_page_that_is_cut() -> None:
    empty = await web_fetch_tool(Pages(""), 20.0).run(context(), {"url": "https://example.com"})
    assert "The page has no text." in empty.text
    assert empty.success
    cut = web_fetch_tool(Pages("moss", truncated=True), 20.0)
    told = await cut.run(context(), {"url": "https://example.com"})
    assert told.text.endswith("[The page is longer than what is read of one.]")


async def test_a_search_of_github() -> None:
    hit = GitHubHit(
        title="owner/moss",
        url="https://github.com/owner/moss",
        content="A library.",
        metadata={"language": "Python", "stars": 7, "license": "", "topics": ["a"]},
    )
    github = GitHub(hit, incomplete=True)
    output = await github_search_tool(github).run(
        context(), {"query": "moss", "kind": "repositories", "max_results": 3}
    )
    assert output.text == (
        "GitHub has 77 repositories for this; these are page 1. It had no time to look at all.\n\n"
        "owner/moss\nhttps://github.com/owner/moss\nlanguage: Python, stars: 7\nA library."
    )
    assert output.sources == (Source("owner/moss", "https://github.com/owner/moss", "A library."),)
    assert github.asked == [GitHubQuery(text="moss", kind=GitHubKind.REPOSITORIES, limit=3)]
    nothing = await github_search_tool(GitHub()).run(context(), {"query": "x", "kind": "issues"})
    assert nothing.text == "GitHub found no issues for: x"
