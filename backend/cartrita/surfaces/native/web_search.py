"""The endpoint that searches the web."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.search import SearchKind, url_of
from cartrita.domain.web import LONGEST_QUERY, MOST_RESULTS, TimeRange, Topic, WebQuery
from cartrita.kit import clock
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel
from cartrita.surfaces.services import Services

router = APIRouter(prefix="/api/search", tags=["search"])

LOCAL: Final = "local"
_OWN_KINDS: Final = frozenset((SearchKind.CONVERSATION, SearchKind.MESSAGE, SearchKind.FILE))
_DAYS: Final = {TimeRange.DAY: 1, TimeRange.WEEK: 7, TimeRange.MONTH: 30, TimeRange.YEAR: 365}
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {status: {} for status in (402, 404, 429, 502)}
"""Statuses of what a provider answers, beside those that all routes have."""


class SearchRequest(RequestModel):
    """What to search for, and where."""

    query: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]
    provider: Annotated[
        str,
        Field(
            max_length=64,
            description="`tavily`, `brave`, `searxng`; `local` searches what is your own.",
        ),
    ] = "tavily"
    max_results: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 5
    topic: Annotated[Topic, Field(description="Engines without it search all pages.")] = (
        Topic.GENERAL
    )
    time_range: Annotated[TimeRange | None, Field(description="How old results may be.")] = None
    include_answer: Annotated[
        bool, Field(description="Also a short answer, from providers that give one.")
    ] = False


class SearchResult(BaseModel):
    """One page that was found."""

    title: str
    url: str
    content: str = Field(description="Plain text of it.")
    score: float = Field(description="From 0 to 1, the higher the better.")
    published_date: datetime | None


class SearchResponse(BaseModel):
    """The results, the best first."""

    query: str
    provider: str = Field(description="Which searched.", examples=["tavily"])
    answer: str | None
    results: list[SearchResult]
    total: int = Field(description="How many results these are.")
    response_time: float = Field(description="In seconds.")


@router.post("", responses=_ERRORS)
async def search(
    principal: CurrentPrincipal,
    body: Annotated[SearchRequest, Depends(JsonBody(SearchRequest))],
    services: AppServices,
) -> SearchResponse:
    """Search the web, or with the provider `local` your own conversations and files."""
    began = time.monotonic()
    answer = None
    if body.provider == LOCAL:
        results = await _own_results(principal, body, services)
    else:
        found = await services.web_search.search(
            principal,
            WebQuery(
                text=body.query,
                max_results=body.max_results,
                topic=body.topic,
                time_range=body.time_range,
                include_answer=body.include_answer,
            ),
            body.provider,
        )
        answer = found.answer
        results = [
            SearchResult(
                title=one.title,
                url=one.url,
                content=one.content,
                score=one.score,
                published_date=one.published_at,
            )
            for one in found.results
        ]
    return SearchResponse(
        query=body.query,
        provider=body.provider,
        answer=answer,
        results=results,
        total=len(results),
        response_time=round(time.monotonic() - began, 3),
    )


async def _own_results(
    principal: Principal, body: SearchRequest, services: Services
) -> list[SearchResult]:
    """What is found in the caller's own conversations and files, as `GET /api/search` finds it."""
    principal.scopes.require_operation(Operation.CONVERSATIONS)
    found = await services.search.find(
        principal,
        body.query,
        kinds=_OWN_KINDS,
        since=clock.now() - timedelta(_DAYS[body.time_range]) if body.time_range else None,
        limit=body.max_results,
    )
    return [
        SearchResult(
            title=hit.title,
            url=url_of(hit),
            content=hit.snippet,
            score=min(max(hit.score, 0.0), 1.0),
            published_date=hit.timestamp,
        )
        for hit in found.hits
    ]
