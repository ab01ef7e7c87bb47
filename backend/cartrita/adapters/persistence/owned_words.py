"""The index of the words of passages: before each word stands whose it is.

So a search reads what its owner has stored and nothing besides, also where it looks for all words
that begin with some letters. A query of the index is the text of a PostgreSQL `tsquery`, in which
each word has its owner's mark.
"""

import hashlib
import re
from collections.abc import Iterable
from re import Match

from sqlalchemy import ColumnElement, cast, func, literal
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from cartrita.adapters.persistence.tables.files import passages

_s = passages.c
_MARK = 12
_SHORTEST_BEGINNING = 3
"""Letters: most passages have words that begin with fewer."""
_LEXEME_OR_DISTANCE = re.compile(r"'((?:[^']|'')*)'(:\*)?|<(?:-|\d+)>")


def mark_of(owner_id: str) -> str:
    """What stands before each word of an owner."""
    return hashlib.sha256(owner_id.encode()).hexdigest()[:_MARK]


def matches(query: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the words of a passage match a query of the index."""
    words = func.cartrita_owned_words(_s.owner_id, _s.search, type_=TSVECTOR())
    return words.bool_op("@@")(cast(query, TSQUERY()))


def one(mark: ColumnElement[str], word: ColumnElement[str]) -> ColumnElement[str]:
    """The query of a word."""
    escaped = func.replace(func.replace(word, "\\", "\\\\"), "'", "''")
    return literal("'") + mark + escaped + literal("'")


def quoted(word: str, mark: str = "") -> str:
    """A word as it stands in a query."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{mark}{escaped}'"


def all_of(owner_id: str, words: Iterable[str]) -> str:
    """The query of all these words."""
    return " & ".join(quoted(word, mark_of(owner_id)) for word in words)


def any_of(owner_id: str, words: Iterable[str]) -> str:
    """The query of any of these words."""
    return " | ".join(quoted(word, mark_of(owner_id)) for word in words)


def has_phrase(query: str) -> bool:
    """Whether words of the query of a text stand in an order, as those of `snake_case` do."""
    return any(found[1] is None for found in _LEXEME_OR_DISTANCE.finditer(query))


def of_owner(owner_id: str, query: str) -> str | None:
    """A query of the index from one of a text; None if the index has no answer.

    It does not know where a word stands, so that a phrase is all of its words. What lacks a word
    is found by reading all that anybody has stored.
    """
    mark = mark_of(owner_id)

    def marked(found: Match[str]) -> str:
        word, begun = found.groups()
        if word is None:
            return "&"
        short = len(word) < _SHORTEST_BEGINNING
        return f"'{mark}{word}'{'' if short else begun or ''}"

    lacks = "!" in _LEXEME_OR_DISTANCE.sub("", query)
    return None if lacks or not query else _LEXEME_OR_DISTANCE.sub(marked, query)
