"""What agents are told of a page of the web."""

import pytest
from tests.backend.tools.contexts import context

from cartrita.domain.errors import Forbidden
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Scopes
from cartrita.domain.web import WebPage
from cartrita.tools.tool import Risk
from cartrita.tools.web_fetch import web_fetch_tool


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
