"""The tool `web_search`."""

from typing import Annotated, Final

from msgspec import Meta

from cartrita.domain.ports.web import WebSearch
from cartrita.domain.web import LONGEST_QUERY, TimeRange, Topic, WebQuery, WebResult
from cartrita.tools.schema import tool
from cartrita.tools.tool import Source, Tool, ToolContext, ToolOutput

_SECONDS: Final = 75.0
"""Two attempts, and the wait for the provider's limit."""


def web_search_tool(web: WebSearch) -> Tool:
    """The tool over these searches, which the caller's key and credentials are good for."""

    async def web_search(
        context: ToolContext,
        query: Annotated[
            str,
            Meta(
                description="A few words, as people type them into a search engine.",
                min_length=1,
                max_length=LONGEST_QUERY,
            ),
        ],
        max_results: Annotated[int, Meta(description="How many pages to find.", ge=1, le=10)] = 5,
        topic: Annotated[
            Topic, Meta(description="`news` for what happened lately, `finance` for markets.")
        ] = Topic.GENERAL,
        time_range: Annotated[
            TimeRange | None, Meta(description="How old pages may be; any age without it.")
        ] = None,
    ) -> ToolOutput:
        """Search the web. Gives titles, addresses and excerpts; read a page with web_fetch."""
        found = await web.search(
            context.principal,
            WebQuery(
                text=query,
                max_results=max_results,
                topic=topic,
                time_range=time_range,
                include_answer=True,
            ),
            spending=context.spending,
        )
        if not found.results:
            return ToolOutput(f"{found.provider} found nothing for: {query}")
        parts = [f"{found.provider} found {len(found.results)} pages."]
        if found.answer:
            parts.append(f"Its summary of them: {found.answer}")
        return ToolOutput(
            "\n\n".join((*parts, *map(_told, found.results))),
            tuple(Source(one.title, one.url, one.content[:300]) for one in found.results),
        )

    return tool(web_search, timeout_s=_SECONDS)


def _told(result: WebResult) -> str:
    date = f" ({result.published_at.date().isoformat()})" if result.published_at else ""
    return f"{result.title}{date}\n{result.url}\n{result.content}"
