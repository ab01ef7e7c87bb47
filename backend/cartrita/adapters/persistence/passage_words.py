"""The words of a question in an owner's passages: rare ones weigh more than common ones.

A word weighs what BM25 gives it (Robertson and Zaragoza, "The Probabilistic Relevance Framework",
2009) by the number of the owner's passages that hold it; PostgreSQL's own ranking knows no such
number. How often a passage holds it is `ts_rank`'s to weigh, which grows ever more slowly as BM25.

Passages are found by the index of `cartrita_words`, in which each owner's words are others.
Comparing all passages with a common word would take a hundred times as long as the best ones need:
only so many are compared with each condition, and the rarest words decide which.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Double,
    Function,
    Integer,
    Row,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, array

from cartrita.adapters.persistence import search_terms
from cartrita.adapters.persistence.file_tables import file_contents, passages
from cartrita.adapters.persistence.present_files import of_a_file
from cartrita.domain.passages import LONGEST_PASSAGE, PassageQuery

_ENGLISH = "english"
_MOST_WORDS = 24
MOST_COMPARED = 500
"""Passages that are compared with one condition; no more of a word are counted."""
_ONCE = 0.06079271
"""What `ts_rank` gives a passage that holds a word once; it gives none more than 0.1."""
_MOST_MISSING = 5
"""Of so many common words at most, one may be missing."""

_f, _s = file_contents.c, passages.c


class QueryWord(msgspec.Struct, frozen=True):
    """A word as the dictionary knows it, its number in the index, its passages and its weight."""

    word: str
    number: int
    passages: int
    weight: float


class Compared(msgspec.Struct, frozen=True):
    """Passages that are compared: those with any of some words, or with all of some others."""

    any_of: tuple[int, ...]
    all_of: tuple[tuple[int, ...], ...]


def counted(query: PassageQuery, words: str) -> Select[str, int, int, int]:
    """The words that the dictionary knows, how many passages hold each, and how many there are."""
    lexemes = func.unnest(func.tsvector_to_array(func.to_tsvector(_ENGLISH, words)))
    word = lexemes.table_valued(column("word", Text)).render_derived().c.word
    number = func.hashtext(query.owner_id + literal(" ") + word, type_=Integer)
    some = select(literal(1)).where(_indexed().contains(_numbers(number)))
    contents = select(
        func.coalesce(func.sum(func.greatest(_f.pages, _f.characters / LONGEST_PASSAGE)), 0)
    ).where(_f.owner_id == query.owner_id)
    if query.content_id is not None:
        some = some.where(_s.content_id == query.content_id)
        contents = contents.where(_f.id == query.content_id)
    held = some.limit(MOST_COMPARED).correlate(word.table).subquery()
    held_by = select(func.count()).select_from(held).scalar_subquery()
    return select(
        word,
        number.label("number"),
        held_by.label("passages"),
        cast(contents.scalar_subquery(), Integer).label("all_passages"),
    ).limit(_MOST_WORDS)


def holding(owner_id: str, words: str) -> ColumnElement[bool]:
    """Whether a passage of an owner has all of the words that it is to have, each whole.

    With an `or` among them, any of them.
    """
    wanted = search_terms.without_excluded(words)
    lexemes = func.unnest(func.tsvector_to_array(func.to_tsvector(_ENGLISH, wanted)))
    word = lexemes.table_valued(column("word", Text)).render_derived().c.word
    number = func.hashtext(literal(f"{owner_id} ") + word, type_=Integer)
    numbers = cast(select(func.array_agg(number)).scalar_subquery(), ARRAY(Integer))
    if "or" in wanted.lower().split():
        return _indexed().overlap(numbers)
    return _indexed().contains(numbers)


def weighed(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[QueryWord]:
    """The words, the rarest first."""
    words = [
        QueryWord(row.word, row.number, row.passages, _weight(row.passages, row.all_passages))
        for row in rows
    ]
    return sorted(words, key=lambda one: one.passages)


def compared(words: Sequence[QueryWord]) -> Iterator[Compared]:
    """What to compare, from the best matches to the least: each includes what comes before it."""
    rare: list[int] = []
    common: list[int] = []
    total = 0
    for one in words:
        total += one.passages
        if one.passages:
            (rare if total < MOST_COMPARED else common).append(one.number)
    if not total:
        return
    yield Compared(tuple(rare), (tuple(common),) if common else ())
    if 2 < len(common) <= _MOST_MISSING:
        yield Compared(tuple(rare), tuple(combinations(common, len(common) - 1)))
    if len(common) > 1:
        yield Compared(tuple(rare), tuple((one,) for one in common))


def ranking(
    query: PassageQuery,
    words: Sequence[QueryWord],
    these: Compared,
    filtered: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    """The places of the best, with their scores."""
    conditions = [_indexed().contains(_numbers(*numbers)) for numbers in these.all_of]
    if these.any_of:
        conditions.append(_indexed().overlap(_numbers(*these.any_of)))
    found = union_all(
        *(
            select(_s.content_id, _s.page, _s.number, _s.search)
            .where(condition, _s.owner_id == query.owner_id, filtered)
            .where(of_a_file(query, _s.content_id))
            .limit(MOST_COMPARED)
            for condition in conditions
        )
    ).subquery("compared")
    score = func.max(_score(found.c.search, words)).label("score")
    place = (found.c.content_id, found.c.page, found.c.number)
    return select(*place, score).group_by(*place).order_by(score.desc(), *place).limit(query.limit)


def _weight(held: int, everything: int) -> float:
    if held >= MOST_COMPARED:  # somewhere between that and all of them
        held = math.isqrt(held * max(everything, held))
    return math.log1p((max(everything - held, 0) + 0.5) / (held + 0.5))


def _score(search: ColumnElement[str], words: Sequence[QueryWord]) -> ColumnElement[float]:
    """The share of the weights of all words; a passage that holds each once has 1."""
    everything = _ONCE * sum(one.weight for one in words)
    parts = (
        literal(one.weight / everything) * func.ts_rank(search, _tsquery(one.word), type_=Double)
        for one in words
        if one.passages
    )
    return sum(parts, start=literal(0.0))


def _tsquery(word: str) -> ColumnElement[str]:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return cast(literal(f"'{escaped}'", Text), TSQUERY)


def _indexed() -> Function[Sequence[int]]:
    return func.cartrita_words(_s.owner_id, _s.search, type_=ARRAY(Integer))


def _numbers(*numbers: ColumnElement[int] | int) -> ColumnElement[Sequence[int]]:
    return cast(array(numbers), ARRAY(Integer))
