"""Files as hits of a search over all that an owner has stored."""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from cartrita.adapters.persistence import owned_words, search_terms
from cartrita.adapters.persistence.passage_words import MOST_COMPARED
from cartrita.adapters.persistence.present_files import present
from cartrita.adapters.persistence.search_terms import SubstringQuery, TextQuery
from cartrita.adapters.persistence.tables.files import attachments, passages
from cartrita.domain.search import SearchKind, SearchQuery

_NAME_BONUS = 0.5
_a, _s = attachments.c, passages.c


def files(
    query: SearchQuery, text_query: TextQuery, words: str, parsed: str
) -> Select[*tuple[Any, ...]]:
    """Files with a passage that matches, or whose names hold all words.

    Also the place of the passage of each that matches best, null where only the name does. `parsed`
    is what may be looked for in the index of words, empty if nothing may.
    """
    texts = _best_passages(query, text_query, words, parsed)
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


def _best_passages(query: SearchQuery, text_query: TextQuery, words: str, parsed: str) -> Subquery:
    """Of each content, the passage that matches best, and how well.

    `MOST_COMPARED` are compared, of each content as many, and at least the first.
    """
    some = _matching(query, text_query, words, parsed)
    contents = select(func.count()).where(some.c.place == 1).scalar_subquery()
    same = and_(*(_s[name] == some.c[name] for name in ("content_id", "page", "number")))
    score = text_query.score(_s.search, _s.text).label("score")
    found = (
        select(_s.content_id, _s.page, _s.number, score)
        .join(some, same)
        .where(_s.owner_id == query.owner_id)
        .where(some.c.place <= func.greatest(1, MOST_COMPARED // contents))
        .subquery("found")
        .c
    )
    return (
        select(found.content_id, found.page, found.number, found.score)
        .ext(distinct_on(found.content_id))
        .order_by(found.content_id, found.score.desc(), found.page, found.number)
        .subquery("texts")
    )


def _matching(query: SearchQuery, text_query: TextQuery, words: str, parsed: str) -> CTE:
    """The places of passages, each with its number among those of its content.

    The index of words knows the owner's, so that reading that of owners besides would be dear. It
    knows neither what must not be there nor where a word stands.
    """
    asked = owned_words.of_owner(query.owner_id, parsed)
    conditions: list[ColumnElement[bool]] = []
    if asked is None:
        conditions.append(_s.owner_id == query.owner_id)
    else:
        conditions.append(owned_words.matches(literal(asked)))
    if asked is None or search_terms.has_operators(words) or owned_words.has_phrase(parsed):
        conditions.append(text_query.matches(_s.search, _s.text))
    place = func.row_number().over(partition_by=_s.content_id, order_by=(_s.page, _s.number))
    return (
        select(_s.content_id, _s.page, _s.number, place.label("place"))
        .where(*conditions)
        .cte("matching")
    )
