"""Full text over what an owner has stored: implements SearchIndex and MessagePassages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    RowMapping,
    Select,
    case,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from cartrita.adapters.persistence import search_terms
from cartrita.adapters.persistence.branches import in_tree
from cartrita.adapters.persistence.conversations import owned
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_hits import files, no_passage
from cartrita.adapters.persistence.search_terms import FullTextQuery, TextQuery
from cartrita.adapters.persistence.tables.conversations import conversations, messages
from cartrita.adapters.persistence.tables.files import attachments, passages
from cartrita.adapters.persistence.text_queries import TextQueries
from cartrita.domain.files import ID_PREFIX
from cartrita.domain.ids import ConversationId, public_conversation_id
from cartrita.domain.models import OFFLINE
from cartrita.domain.search import SearchHit, SearchKind, SearchQuery, SearchResults, SortBy
from cartrita.kit import ids

_SNIPPET_WORDS = 35
_PASSAGE_WORDS = 80
_TITLE_BONUS = 0.5
_STORED = frozenset({SearchKind.CONVERSATION, SearchKind.MESSAGE, SearchKind.FILE})
_a, _c, _m, _s = attachments.c, conversations.c, messages.c, passages.c
_BODY = func.cartrita_text(_m.parts)


class FullText:
    """One owner's conversations, messages and files.

    Queued messages and hidden conversations are out, and files whose time is over.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._text_queries = TextQueries(database)

    async def search(self, query: SearchQuery) -> SearchResults:
        """See SearchIndex; kinds that are not stored here find nothing."""
        words = search_terms.normalize(query.text)
        if not words or not query.kinds & _STORED:
            return SearchResults((), 0)
        text_query = await self._text_queries.with_all(words)
        parsed = ""
        if SearchKind.FILE in query.kinds and isinstance(text_query, FullTextQuery):
            parsed = await self._wanted(words, text_query)
        hits = _hits(query, text_query, words, parsed)
        async with self._database.use() as connection:
            rows = (await connection.execute(_page(query, hits, text_query))).mappings().all()
            if rows or not query.offset:
                total = rows[0]["total"] if rows else 0
            else:
                counted = await connection.execute(select(func.count()).select_from(hits))
                total = counted.scalar_one()
        return SearchResults(tuple(_to_found(row) for row in rows), total)

    async def _wanted(self, words: str, text_query: FullTextQuery) -> str:
        """What a text is to have, without what it must not."""
        wanted = search_terms.without_excluded(words)
        if wanted == words:
            return text_query.text
        return await self._text_queries.parsed(search_terms.match_all(wanted))

    async def passages(self, owner_id: str, words: str, limit: int) -> list[str]:
        """See MessagePassages: distinct ones, the most relevant first."""
        words = search_terms.normalize(words)
        if not words:
            return []
        text_query = await self._text_queries.with_any(words)
        score = text_query.score(_m.search, _BODY).label("score")
        best = (
            select(_m.id, _m.created_at, score)
            .join(conversations, _c.id == _m.conversation_id)
            .where(in_tree(owner_id), owned(owner_id), text_query.matches(_m.search, _BODY))
            .where(_m.provider.is_distinct_from(OFFLINE))  # it repeats what is stored elsewhere
            .order_by(score.desc(), _m.created_at.desc())
            .limit(4 * limit)  # some of which may say the same
            .cte("best")
        )
        passage = text_query.snippet(_BODY, _PASSAGE_WORDS).label("passage")
        found = (
            select(passage)
            .join(best, best.c.id == _m.id)
            .order_by(best.c.score.desc(), best.c.created_at.desc())
        )
        async with self._database.use() as connection:
            rows = [" ".join(row.passage.split()) for row in await connection.execute(found)]
        return list(dict.fromkeys(row for row in rows if row))[:limit]


def _hits(query: SearchQuery, text_query: TextQuery, words: str, parsed: str) -> CTE:
    """All hits, without their texts."""
    wanted: list[Select[*tuple[Any, ...]]] = []
    if SearchKind.CONVERSATION in query.kinds:
        wanted.append(_titles(query, text_query))
    if SearchKind.MESSAGE in query.kinds:
        wanted.append(_texts(query, text_query))
    if SearchKind.FILE in query.kinds:
        wanted.append(files(query, text_query, words, parsed))
    return union_all(*wanted).cte("hits")


def _titles(query: SearchQuery, text_query: TextQuery) -> Select[*tuple[Any, ...]]:
    found = select(
        literal(SearchKind.CONVERSATION.value).label("kind"),
        _c.id.label("id"),
        _c.id.label("conversation_id"),
        _c.title.label("title"),
        _c.updated_at.label("moment"),
        (text_query.score(_c.search, _c.title) + _TITLE_BONUS).label("score"),
        *no_passage(),
    ).where(owned(query.owner_id), text_query.matches(_c.search, _c.title))
    return found.where(*_bounds(query, _c.id, _c.updated_at))


def _texts(query: SearchQuery, text_query: TextQuery) -> Select[*tuple[Any, ...]]:
    found = (
        select(
            literal(SearchKind.MESSAGE.value).label("kind"),
            _m.id,
            _m.conversation_id,
            _c.title,
            _m.created_at.label("moment"),
            text_query.score(_m.search, _BODY).label("score"),
            *no_passage(),
        )
        .join(conversations, _c.id == _m.conversation_id)
        .where(in_tree(query.owner_id), owned(query.owner_id), text_query.matches(_m.search, _BODY))
    )
    return found.where(*_bounds(query, _m.conversation_id, _m.created_at))


def _bounds(
    query: SearchQuery, conversation: ColumnElement[UUID], moment: ColumnElement[datetime]
) -> list[ColumnElement[bool]]:
    """What the query leaves out, whatever its words are."""
    bounds: list[ColumnElement[bool]] = []
    if query.since is not None:
        bounds.append(moment >= query.since)
    if query.without is not None:
        bounds.append(conversation != query.without)
    return bounds


def _page(query: SearchQuery, hits: CTE, text_query: TextQuery) -> Select[*tuple[Any, ...]]:
    """One page of hits; snippets are made for these only, since they read whole texts."""
    page = (
        select(*hits.c, func.count().over().label("total"))
        .order_by(*_order(hits, query.sort_by))
        .limit(query.limit)
        .offset(query.offset)
        .cte("page")
    )
    snippet = case(
        (_m.id.is_not(None), text_query.snippet(_BODY, _SNIPPET_WORDS)),
        (_s.text.is_not(None), text_query.snippet(_s.text, _SNIPPET_WORDS)),
        else_=page.c.title,
    )
    return (
        select(*page.c, _c.external_id, _m.role, snippet.label("snippet"))
        .join(conversations, _c.id == page.c.conversation_id, isouter=True)
        .join(messages, _m.id == page.c.id, isouter=True)
        .join(attachments, _a.id == page.c.id, isouter=True)
        .join(passages, _passage_of(page), isouter=True)
        .order_by(*_order(page, query.sort_by))
    )


def _passage_of(page: CTE) -> ColumnElement[bool]:
    """The best passage of a file."""
    place = (_s.content_id, _s.page, _s.number)
    return tuple_(*place) == tuple_(_a.content_id, page.c.page, page.c.number)


def _order(hits: CTE, sort_by: SortBy) -> list[ColumnElement[Any]]:
    latest: list[ColumnElement[Any]] = [hits.c.moment.desc(), hits.c.id]
    match sort_by:
        case SortBy.RELEVANCE:
            return [hits.c.score.desc(), *latest]
        case SortBy.DATE:
            return latest
        case SortBy.TITLE:
            return [func.lower(hits.c.title), *latest]


def _to_found(row: RowMapping) -> SearchHit:
    kind = SearchKind(row["kind"])
    identity: ConversationId | None = row["conversation_id"]
    external_id = row["external_id"]
    conversation = None if identity is None else public_conversation_id(identity, external_id)
    return SearchHit(
        kind=kind,
        id=conversation or "" if kind is SearchKind.CONVERSATION else _public_id(kind, row["id"]),
        conversation_id=conversation,
        title=row["title"],
        snippet=" ".join(row["snippet"].split()),
        timestamp=row["moment"],
        score=row["score"],
        metadata={"role": row["role"]} if kind is SearchKind.MESSAGE else {},
    )


def _public_id(kind: SearchKind, identity: UUID) -> str:
    return ids.public(ID_PREFIX if kind is SearchKind.FILE else "msg", identity)
