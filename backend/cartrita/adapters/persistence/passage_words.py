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
from functools import cache
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
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, array

from cartrita.adapters.persistence import search_terms
from cartrita.adapters.persistence.file_tables import file_contents, passages
from cartrita.adapters.persistence.present_files import (
    CONTENT,
    LIMIT,
    OWNER,
    of_a_file,
    once,
    values_of,
)
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


class Shape(msgspec.Struct, frozen=True):
    """What tells the statement of one ranking from that of another, besides its parameters."""

    words: int
    all_of: int
    any_of: bool
    one_file: bool


@cache
def counted(*, one_file: bool) -> Select[str, int, int, int]:
    """The words that the dictionary knows, how many passages hold each, and how many there are.

    Besides those of the query its parameters are `words` and `most`.
    """
    lexemes = func.unnest(func.tsvector_to_array(func.to_tsvector(_ENGLISH, _WORDS)))
    word = lexemes.table_valued(column("word", Text)).render_derived().c.word
    number = func.hashtext(OWNER + literal(" ") + word, type_=Integer)
    some = select(literal(1)).where(_indexed().contains(_numbers(number)))
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
        number.label("number"),
        held_by.label("passages"),
        cast(contents.scalar_subquery(), Integer).label("all_passages"),
    ).limit(_MOST_WORDS)


def counted_values(query: PassageQuery, words: str) -> dict[str, Any]:
    """What `counted` is executed with."""
    return {**values_of(query), "words": words, "most": MOST_COMPARED}


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
    conditions = [_indexed().contains(_given("all_of", n)) for n in range(of.all_of)]
    if of.any_of:
        conditions.append(_indexed().overlap(_given("any_of", 0)))
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
    values = {**values_of(query), "most": MOST_COMPARED, "any_of_0": list(these.any_of)}
    values |= {f"all_of_{n}": list(numbers) for n, numbers in enumerate(these.all_of)}
    everything = _ONCE * sum(one.weight for one in words)
    for n, one in enumerate(one for one in words if one.passages):
        values |= {f"word_{n}": _quoted(one.word), f"weight_{n}": one.weight / everything}
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


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _indexed() -> Function[Sequence[int]]:
    return func.cartrita_words(_s.owner_id, _s.search, type_=ARRAY(Integer))


def _numbers(number: ColumnElement[int]) -> ColumnElement[Sequence[int]]:
    return cast(array([number]), ARRAY(Integer))


def _given(name: str, place: int) -> ColumnElement[Sequence[int]]:
    return bindparam(f"{name}_{place}", type_=ARRAY(Integer))
