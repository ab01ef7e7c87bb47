"""The tool `github_search`."""

from typing import Annotated, Final

from msgspec import Meta

from cartrita.domain.github import LONGEST_GITHUB_QUERY, GitHubHit, GitHubKind, GitHubQuery
from cartrita.domain.ports.web import GitHubSearch
from cartrita.tools.schema import tool
from cartrita.tools.tool import Source, Tool, ToolContext, ToolOutput

_SECONDS: Final = 75.0
_TOLD: Final = (
    "repository",
    "path",
    "language",
    "stars",
    "license",
    "state",
    "author",
    "updated_at",
)


def github_search_tool(github: GitHubSearch) -> Tool:
    """The tool over these searches, which the caller's key and credentials are good for."""

    async def github_search(
        context: ToolContext,
        query: Annotated[
            str,
            Meta(
                description="Words and GitHub's qualifiers, as `moss language:python stars:>50`.",
                min_length=1,
                max_length=LONGEST_GITHUB_QUERY,
            ),
        ],
        kind: Annotated[
            GitHubKind, Meta(description="What to find; `issues` are pull requests too.")
        ] = GitHubKind.REPOSITORIES,
        max_results: Annotated[int, Meta(ge=1, le=20)] = 5,
        page: Annotated[int, Meta(ge=1, le=50)] = 1,
    ) -> ToolOutput:
        """Search GitHub for repositories, code or issues."""
        found = await github.search(
            context.principal,
            GitHubQuery(text=query, kind=kind, limit=max_results, page=page),
            spending=context.spending,
        )
        if not found.hits:
            return ToolOutput(f"GitHub found no {kind} for: {query}")
        seen = " It had no time to look at all." if found.incomplete else ""
        first = f"GitHub has {found.total} {kind} for this; these are page {page}.{seen}"
        return ToolOutput(
            "\n\n".join((first, *map(_told, found.hits))),
            tuple(Source(hit.title, hit.url, hit.content[:300] or None) for hit in found.hits),
        )

    return tool(github_search, timeout_s=_SECONDS)


def _told(hit: GitHubHit) -> str:
    facts = (f"{name}: {hit.metadata[name]}" for name in _TOLD if hit.metadata.get(name))
    return "\n".join(filter(None, (hit.title, hit.url, ", ".join(facts), hit.content)))
