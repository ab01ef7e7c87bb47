"""Search endpoint."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from cartrita.application.search.search import ALL_KINDS, LIMIT_MAX, OFFSET_MAX, DateRange
from cartrita.domain.errors import InvalidInput
from cartrita.domain.search import SearchHit, SearchKind, SortBy, url_of
from cartrita.kit.text import storable_text
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal

router = APIRouter(prefix="/api/search", tags=["search"], dependencies=STORED)


class OwnSearchResult(BaseModel):
    """One search result."""

    id: str
    type: SearchKind
    title: str
    snippet: str = Field(description="Plain text around the text hit.")
    url: str = Field(description="Where to read it.")
    timestamp: datetime
    metadata: dict[str, Any]


class OwnSearchResponse(BaseModel):
    """One page of results."""

    results: list[OwnSearchResult]
    total: int
    has_more: bool
    query: str


@router.get("")
async def search_own_data(
    principal: CurrentPrincipal,
    services: AppServices,
    q: Annotated[str, Query(max_length=1000, description="Words; nothing is an operator.")] = "",
    types: Annotated[
        str | None,
        Query(max_length=200, description="Kinds separated by commas; all without it."),
    ] = None,
    date_range: DateRange = DateRange.ALL,
    sort_by: SortBy = SortBy.RELEVANCE,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 20,
    offset: Annotated[int, Query(ge=0, le=OFFSET_MAX)] = 0,
) -> OwnSearchResponse:
    """Find text in your conversations, messages and files."""
    text = storable_text(q)
    results = await services.search.find(
        principal,
        text,
        kinds=_kinds(types),
        date_range=date_range,
        sort_by=sort_by,
        limit=limit,
        offset=offset,
    )
    return OwnSearchResponse(
        results=[_result(hit) for hit in results.hits],
        total=results.total,
        has_more=offset + len(results.hits) < results.total,
        query=text,
    )


def _kinds(types: str | None) -> frozenset[SearchKind]:
    named = {part.strip().removesuffix("s") for part in (types or "").split(",") if part.strip()}
    unknown = named - set(SearchKind)
    if unknown:
        raise InvalidInput.of("types", f"choose from {', '.join(SearchKind)}")
    return frozenset(SearchKind(name) for name in named) or ALL_KINDS


def _result(hit: SearchHit) -> OwnSearchResult:
    return OwnSearchResult(
        id=hit.id,
        type=hit.kind,
        title=hit.title,
        snippet=hit.snippet,
        url=url_of(hit),
        timestamp=hit.timestamp,
        metadata=hit.metadata,
    )
