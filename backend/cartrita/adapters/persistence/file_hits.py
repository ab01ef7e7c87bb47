"""Files as hits of a search over all that an owner has stored."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from cartrita.adapters.persistence.file_tables import attachments, passages
from cartrita.adapters.persistence.search_terms import SubstringQuery, TextQuery
from cartrita.domain.passages import PassageQuery
from cartrita.domain.search import SearchKind, SearchQuery

_NAME_BONUS = 0.5
_a, _s = attachments.c, passages.c


def present() -> ColumnElement[bool]:
    """The file's time is not over."""
    return or_(_a.expires_at.is_(None), _a.expires_at > func.now())


def of_a_file(query: PassageQuery, content_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The content is that of a file which the owner still has; of the file of the query."""
    file = select(_a.id).where(_a.content_id == content_id, present())
    if query.content_id is None:
        return file.exists()
    return and_(content_id == query.content_id, file.exists())


def files(query: SearchQuery, text_query: TextQuery, words: str) -> Select[*tuple[Any, ...]]:
    """Files with a passage that matches, or whose names hold all words."""
    score = text_query.score(_s.search, _s.text)
    texts = (
        select(_s.content_id, func.max(score).label("score"))
        .where(_s.owner_id == query.owner_id, text_query.matches(_s.search, _s.text))
        .group_by(_s.content_id)
        .subquery("texts")
    )
    named = SubstringQuery(words.split(), every=True).matches(_a.name, _a.name)
    bonus = case((named, _NAME_BONUS), else_=0.0)
    found = (
        select(
            literal(SearchKind.FILE.value).label("kind"),
            _a.id.label("id"),
            _a.conversation_id.label("conversation_id"),
            _a.name.label("title"),
            _a.created_at.label("moment"),
            (func.coalesce(texts.c.score, 0.0) + bonus).label("score"),
        )
        .join(texts, texts.c.content_id == _a.content_id, isouter=True)
        .where(_a.owner_id == query.owner_id, present())
        .where(or_(texts.c.content_id.is_not(None), named))
    )
    return found if query.since is None else found.where(_a.created_at >= query.since)


def best_passage(text_query: TextQuery, words: int) -> ScalarSelect[str]:
    """So many words of the passage of a file that matches best, or null."""
    return (
        select(text_query.snippet(_s.text, words))
        .where(_s.content_id == _a.content_id, _s.owner_id == _a.owner_id)
        .where(text_query.matches(_s.search, _s.text))
        .order_by(text_query.score(_s.search, _s.text).desc(), _s.page, _s.number)
        .limit(1)
        .correlate(attachments)
        .scalar_subquery()
    )
