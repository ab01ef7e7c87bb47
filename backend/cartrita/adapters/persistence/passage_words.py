"""The words of a question in an owner's passages: rare ones weigh more than common ones.

A word weighs what BM25 gives it (Robertson and Zaragoza, "The Probabilistic Relevance Framework",
2009) by the number of the owner's passages that hold it; PostgreSQL's own ranking knows no such
number. How often a passage holds it is `ts_rank`'s to weigh, which grows ever more slowly as BM25.

Passages are found by the index of `owned_words`.
Comparing all passages with a common word would take a hundred times as long as the best ones need:
only so many are compared with each condition, and the rarest words decide which.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from cartrita.adapters.persistence import owned_words
from cartrita.adapters.persistence.present_files import (
    CONTENT,
    LIMIT,
    OWNER,
    of_a_file,
    once,
    values_of,
)
from cartrita.adapters.persistence.tables.files import file_contents, passages
from cartrita.domain.passages import LONGEST_PASSAGE, PassageQuery

_ENGLISH = "english"
_MOST_WORDS = 24
MOST_COMPARED = 500
"""Passages that are compared with one condition; no more of a word are counted."""
SAMPLED = text("SET LOCAL gin_fuzzy_search_limit = 2000")
"""The index tells about so many of more passages that hold a word: enough to know it as common."""
_ONCE = 0.06079271
"""What `ts_rank` gives a passage that holds a word once; it gives none more than 0.1."""
_MOST_MISSING = 5
"""Of so many common words at most, one may be missing."""

_f, _s = file_contents.c, passages.c
_WORDS = bindparam("words", type_=Text())
_MOST = bindparam("most", type_=Integer())
_MARK = bindparam("mark", type_=Text())


class QueryWord(msgspec.Struct, frozen=True):
    """A word as the dictionary knows it, its passages and its weight."""

    word: str
    passages: int
    weight: float


class Compared(msgspec.Struct, frozen=True):
    """Passages that are compared: those with any of some words, or with all of some others."""

    any_of: tuple[str, ...]
    all_of: tuple[tuple[str, ...], ...]


class Shape(msgspec.Struct, frozen=True):
    """What tells the statement of one ranking from that of another, besides its parameters."""

    words: int
    all_of: int
    any_of: bool
    one_file: bool


@cache
def counted(*, one_file: bool) -> Select[str, int, int]:
    """The words that the dictionary knows, how many passages hold each, and how many there are.

    Besides those of the query its parameters are `words`, `most` and the owner's `mark`.
    """
    lexemes = func.unnest(func.tsvector_to_array(func.to_tsvector(_ENGLISH, _WORDS)))
    word = lexemes.table_valued(column("word", Text)).render_derived().c.word
    some = select(literal(1)).where(owned_words.matches(owned_words.one(_MARK, word)))
    contents = select(
        func.coalesce(func.sum(func.greatest(_f.pages, _f.characters / LONGEST_PASSAGE)), 0)
    ).where(_f.owner_id == OWNER)
    if one_file:
        some = some.where(_s.content_id == CONTENT)
        contents = contents.where(_f.id == CONTENT)
    held = some.limit(_MOST).correlate(word.table).subquery()
    held_by = select(func.count()).select_from(held).scalar_subquery()
    return select(
        word,
        held_by.label("passages"),
        cast(contents.scalar_subquery(), Integer).label("all_passages"),
    ).limit(_MOST_WORDS)


def counted_values(query: PassageQuery, words: str) -> dict[str, Any]:
    """What `counted` is executed with."""
    mark = owned_words.mark_of(query.owner_id)
    return {**values_of(query), "words": words, "most": MOST_COMPARED, "mark": mark}


def weighed(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[QueryWord]:
    """The words, the rarest first."""
    words = [
        QueryWord(row.word, row.passages, _weight(row.passages, row.all_passages)) for row in rows
    ]
    return sorted(words, key=lambda one: one.passages)


def compared(words: Sequence[QueryWord]) -> Iterator[Compared]:
    """What to compare, from the best matches to the least: each includes what comes before it."""
    rare: list[str] = []
    common: list[str] = []
    total = 0
    for one in words:
        total += one.passages
        if one.passages:
            (rare if total < MOST_COMPARED else common).append(one.word)
    if not total:
        return
    yield Compared(tuple(rare), (tuple(common),) if common else ())
    if 2 < len(common) <= _MOST_MISSING:
        yield Compared(tuple(rare), tuple(combinations(common, len(common) - 1)))
    if len(common) > 1:
        yield Compared(tuple(rare), tuple((one,) for one in common))


def shape(query: PassageQuery, words: Sequence[QueryWord], these: Compared) -> Shape:
    """Of the ranking of these."""
    return Shape(
        words=sum(one.passages > 0 for one in words),
        all_of=len(these.all_of),
        any_of=bool(these.any_of),
        one_file=query.content_id is not None,
    )


def ranking(of: Shape, filtered: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The places of the best, with their scores."""
    names = [f"all_of_{n}" for n in range(of.all_of)]
    if of.any_of:
        names.append("any_of")
    conditions = [owned_words.matches(bindparam(name, type_=Text())) for name in names]
    found = union_all(
        *(
            select(_s.content_id, _s.page, _s.number, _s.search)
            .where(condition, _s.owner_id == OWNER, filtered)
            .where(of_a_file(_s.content_id, one=of.one_file))
            .limit(_MOST)
            for condition in conditions
        )
    ).subquery("compared")
    score = func.max(_score(found.c.search, of.words)).label("score")
    place = (found.c.content_id, found.c.page, found.c.number)
    return select(*place, score).group_by(*place).order_by(score.desc(), *place).limit(LIMIT)


def ranking_values(
    query: PassageQuery, words: Sequence[QueryWord], these: Compared
) -> dict[str, Any]:
    """What a `ranking` is executed with.

    The weights of all words are 1 together, so that a passage that holds each once has 1.
    """
    owner = query.owner_id
    values = {**values_of(query), "most": MOST_COMPARED}
    values["any_of"] = owned_words.any_of(owner, these.any_of)
    for n, together in enumerate(these.all_of):
        values[f"all_of_{n}"] = owned_words.all_of(owner, together)
    everything = _ONCE * sum(one.weight for one in words)
    for n, one in enumerate(one for one in words if one.passages):
        values |= {
            f"word_{n}": owned_words.quoted(one.word),
            f"weight_{n}": one.weight / everything,
        }
    return values


def _weight(held: int, everything: int) -> float:
    if held >= MOST_COMPARED:  # somewhere between that and all of them
        held = math.isqrt(held * max(everything, held))
    return math.log1p((max(everything - held, 0) + 0.5) / (held + 0.5))


def _score(search: ColumnElement[str], words: int) -> ColumnElement[float]:
    parts = (
        bindparam(f"weight_{n}", type_=Double[float]())
        * func.ts_rank(search, once(cast(bindparam(f"word_{n}", type_=Text()), TSQUERY)))
        for n in range(words)
    )
    return sum(parts, start=literal(0.0))
