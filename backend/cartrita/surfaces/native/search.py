"""Search over one's own conversations and messages."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from cartrita.application.search import ALL_KINDS, LIMIT_MAX, OFFSET_MAX, DateRange
from cartrita.domain.errors import InvalidInput
from cartrita.domain.search import SearchHit, SearchKind, SortBy
from cartrita.kit import ids
from cartrita.kit.text import storable_text
from cartrita.surfaces.native.dependencies import Me, UseCases

router = APIRouter(prefix="/api/search", tags=["search"])


class Result(BaseModel):
    """Something found."""

    id: str
    type: SearchKind
    title: str
    snippet: str = Field(description="Plain text around the words found.")
    url: str = Field(description="Where to read it.")
    timestamp: datetime
    metadata: dict[str, Any]


class SearchResponse(BaseModel):
    """One page of results."""

    results: list[Result]
    total: int
    has_more: bool
    query: str


@router.get("")
async def search_own_data(
    who: Me,
    services: UseCases,
    q: Annotated[str, Query(max_length=1000, description="Words; nothing is an operator.")] = "",
    types: Annotated[
        str | None,
        Query(max_length=200, description="Kinds separated by commas; all without it."),
    ] = None,
    date_range: DateRange = DateRange.ALL,
    sort_by: SortBy = SortBy.RELEVANCE,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 20,
    offset: Annotated[int, Query(ge=0, le=OFFSET_MAX)] = 0,
) -> SearchResponse:
    """Find words in your conversations and messages."""
    words = storable_text(q)
    findings = await services.search.find(
        who,
        words,
        kinds=_kinds(types),
        date_range=date_range,
        sort_by=sort_by,
        limit=limit,
        offset=offset,
    )
    return SearchResponse(
        results=[_result(found) for found in findings.hits],
        total=findings.total,
        has_more=offset + len(findings.hits) < findings.total,
        query=words,
    )


def _kinds(types: str | None) -> frozenset[SearchKind]:
    named = {part.strip().removesuffix("s") for part in (types or "").split(",") if part.strip()}
    unknown = named - set(SearchKind)
    if unknown:
        raise InvalidInput.of("types", f"choose from {', '.join(SearchKind)}")
    return frozenset(SearchKind(name) for name in named) or ALL_KINDS


def _result(found: SearchHit) -> Result:
    return Result(
        id=found.id,
        type=found.kind,
        title=found.title,
        snippet=found.snippet,
        url=_url(found),
        timestamp=found.timestamp,
        metadata=found.metadata,
    )


def _url(found: SearchHit) -> str:
    if found.kind is SearchKind.AGENT:
        return f"/api/agents/{found.id}"
    if found.kind is SearchKind.FILE:
        return f"/api/files/{found.id}"
    if found.conversation_id is None or found.kind is SearchKind.CONVERSATION:
        return f"/api/conversations/{found.id}"
    conversation = ids.public("conv", found.conversation_id)
    return f"/api/conversations/{conversation}/messages/{found.id}"
