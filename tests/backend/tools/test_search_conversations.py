"""What agents are told of earlier conversations, and whose they are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.backend.tools.contexts import context

from cartrita.domain.errors import Forbidden
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation, Scopes
from cartrita.domain.search import SearchHit, SearchKind, SearchQuery, SearchResults, SortBy
from cartrita.domain.tools import ToolSpec
from cartrita.tools import search_conversations as module
from cartrita.tools.search_conversations import search_conversations_tool
from cartrita.tools.tool import Risk, Source

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


class Index:
    """Finds what the test says, and remembers what it was asked."""

    def __init__(self, *hits: SearchHit, total: int | None = None) -> None:
        self.results = SearchResults(hits, len(hits) if total is None else total)
        self.asked: list[SearchQuery] = []

    async def search(self, query: SearchQuery) -> SearchResults:
        self.asked.append(query)
        return self.results


def hit(**values: Any) -> SearchHit:
    given: dict[str, Any] = {
        "kind": SearchKind.MESSAGE,
        "id": "msg_1",
        "conversation_id": "my conv",
        "title": "Moss",
        "snippet": "It grows " + "x" * 400,
        "timestamp": NOW,
        "score": 0.5,
        "metadata": {"role": "assistant"},
        **values,
    }
    return SearchHit(**given)


async def test_sources_name_the_conversation_and_the_message() -> None:
    title = hit(kind=SearchKind.CONVERSATION, id="conv_2", title="", metadata={})
    output = await search_conversations_tool(Index(hit(), title, total=9)).run(
        context(), {"query": "moss", "skip": 3}
    )
    message, conversation = output.sources
    assert message.title == "Moss, assistant, 2026-11-21"
    assert message.url == "/api/conversations/my%20conv/messages/msg_1"
    assert len(message.snippet or "") == 300
    assert conversation == Source("Untitled conversation, 2026-11-21", "/api/conversations/conv_2")
    assert output.text.startswith(
        "9 found; these are 4 to 5.\n\n"
        "Moss (conversation my conv, assistant, msg_1, 2026-11-21)\nIt grows "
    )
    assert output.text.endswith(
        "\n\nUntitled conversation (conversation conv_2, last changed 2026-11-21)"
    )


async def test_only_earlier_conversations_of_the_caller_are_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module.clock, "now", lambda: NOW)
    index, call = Index(), context()
    tool = search_conversations_tool(index)
    await tool.run(call, {"query": "moss", "max_results": 2, "days": 7, "newest_first": True})
    assert index.asked == [
        SearchQuery(
            owner_id="ann",
            text="moss",
            kinds=frozenset((SearchKind.CONVERSATION, SearchKind.MESSAGE)),
            since=NOW - timedelta(days=7),
            without=call.conversation_id,
            sort_by=SortBy.DATE,
            limit=2,
        )
    ]
    assert (tool.name, tool.risk, tool.parallel) == ("search_conversations", Risk.READ, True)


@pytest.mark.parametrize("name", ["owner_id", "owner", "user", "principal", "without"])
async def test_a_model_cannot_name_another_owner(name: str) -> None:
    index = Index(hit())
    tool = search_conversations_tool(index)
    assert isinstance(tool.spec, ToolSpec)
    parameters: Any = tool.spec.parameters
    assert name not in parameters["properties"]
    output = await tool.run(context(), {"query": "moss", name: "bob"})
    assert not output.success
    assert not output.sources
    assert index.asked == []


async def test_a_key_that_may_not_read_conversations() -> None:
    index = Index(hit())
    scopes = Scopes(operations=(Operation.CHAT,))
    call = context(principal=Principal("ann", "key", scopes=scopes))
    with pytest.raises(Forbidden):
        await search_conversations_tool(index).run(call, {"query": "moss"})
    assert index.asked == []


async def test_nothing_is_found() -> None:
    output = await search_conversations_tool(Index()).run(context(), {"query": "moss"})
    assert (output.text, output.sources) == ("No earlier conversation has: moss", ())
    beyond = search_conversations_tool(Index(total=4))
    told = await beyond.run(context(), {"query": "moss", "skip": 4})
    assert told.text == "No earlier conversation has any more: moss"
