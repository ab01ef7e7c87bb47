"""The endpoint that searches GitHub."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from cartrita.domain.github import (
    LONGEST_GITHUB_QUERY,
    MOST_GITHUB_RESULTS,
    GitHubKind,
    GitHubQuery,
)
from cartrita.domain.scopes import Operation
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, Requires, Storable

router = APIRouter(prefix="/api/github", tags=["search"])

_ERRORS: Final[dict[int | str, dict[str, Any]]] = {status: {} for status in (402, 404, 429, 502)}
"""Statuses of what GitHub answers, beside those that all routes have."""


class GitHubResult(BaseModel):
    """One repository, file, issue or pull request."""

    title: str
    url: str
    content: str = Field(description="Plain text of it; of code, what matched.")
    metadata: dict[str, Any] = Field(description="Depends on the type.")


class GitHubSearchResponse(BaseModel):
    """One page of results, the best first."""

    query: str
    type: GitHubKind
    results: list[GitHubResult]
    total: int = Field(description="How many there are on all pages; 1,000 of them can be read.")
    incomplete: bool = Field(description="GitHub ran out of time before it had seen all.")
    page: int
    response_time: float = Field(description="In seconds.")


@router.get("/search", responses=_ERRORS, dependencies=[Depends(Requires(Operation.SEARCH))])
async def search_github(
    principal: CurrentPrincipal,
    services: AppServices,
    q: Annotated[
        Storable,
        Query(
            max_length=LONGEST_GITHUB_QUERY,
            description="Words and GitHub's qualifiers, as `language:python stars:>100`.",
        ),
    ],
    kind: Annotated[GitHubKind, Query(alias="type")] = GitHubKind.REPOSITORIES,
    limit: Annotated[int, Query(ge=1, le=MOST_GITHUB_RESULTS)] = 10,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> GitHubSearchResponse:
    """Search GitHub for repositories, code, or issues and pull requests."""
    began = time.monotonic()
    query = GitHubQuery(text=q, kind=kind, limit=limit, page=page)
    found = await services.github_search.search(principal, query)
    return GitHubSearchResponse(
        query=q,
        type=kind,
        results=[
            GitHubResult(
                title=hit.title, url=hit.url, content=hit.content, metadata=dict(hit.metadata)
            )
            for hit in found.hits
        ],
        total=found.total,
        incomplete=found.incomplete,
        page=page,
        response_time=round(time.monotonic() - began, 3),
    )
