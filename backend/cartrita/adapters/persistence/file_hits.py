"""Files as hits of a search over all that an owner has stored."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on

from cartrita.adapters.persistence import passage_words
from cartrita.adapters.persistence.file_tables import attachments, passages
from cartrita.adapters.persistence.present_files import present
from cartrita.adapters.persistence.search_terms import FullTextQuery, SubstringQuery, TextQuery
from cartrita.domain.search import SearchKind, SearchQuery

_NAME_BONUS = 0.5
_a, _s = attachments.c, passages.c


def files(query: SearchQuery, text_query: TextQuery, words: str) -> Select[*tuple[Any, ...]]:
    """Files with a passage that matches, or whose names hold all words.

    Also the place of the passage of each that matches best, null where only the name does.
    """
    texts = _best_passages(query, text_query, words)
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
            texts.c.page,
            texts.c.number,
        )
        .join(texts, texts.c.content_id == _a.content_id, isouter=True)
        .where(_a.owner_id == query.owner_id, present())
        .where(or_(texts.c.content_id.is_not(None), named))
    )
    return found if query.since is None else found.where(_a.created_at >= query.since)


def no_passage() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The place of a passage in hits that are no files."""
    nothing = cast(null(), Integer)
    return nothing.label("page"), nothing.label("number")


def _best_passages(query: SearchQuery, text_query: TextQuery, words: str) -> Subquery:
    """Of each content, the passage that matches best, and how well.

    Of those of one content that match, the first `MOST_COMPARED` are compared.
    """
    some = _matching(query, text_query, words)
    found = (
        select(
            some.c.content_id,
            some.c.page,
            some.c.number,
            text_query.score(some.c.search, some.c.text).label("score"),
        )
        .where(some.c.place <= passage_words.MOST_COMPARED)
        .subquery("found")
        .c
    )
    return (
        select(found.content_id, found.page, found.number, found.score)
        .ext(distinct_on(found.content_id))
        .order_by(found.content_id, found.score.desc(), found.page, found.number)
        .subquery("texts")
    )


def _matching(query: SearchQuery, text_query: TextQuery, words: str) -> Subquery:
    """Passages, each with its place among those of its content."""
    holding = true()
    if isinstance(text_query, FullTextQuery):
        holding = passage_words.holding(query.owner_id, words)
    place = func.row_number().over(partition_by=_s.content_id, order_by=(_s.page, _s.number))
    return (
        select(_s.content_id, _s.page, _s.number, _s.search, _s.text, place.label("place"))
        .where(_s.owner_id == query.owner_id, holding)
        .where(text_query.matches(_s.search, _s.text))
        .subquery("matching")
    )
