"""What agents are told of a search of the web."""

from datetime import UTC, datetime

from tests.backend.tools.contexts import context

from cartrita.domain.ledger import ToolSpending
from cartrita.domain.principals import Principal
from cartrita.domain.web import TimeRange, Topic, WebQuery, WebResult, WebResults
from cartrita.tools.tool import Risk, Source
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
