"""Search text as SQL conditions: Postgres full text, or substrings where that has no terms."""

import re
from typing import Protocol

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_
from sqlalchemy.dialects.postgresql import TSQUERY

from cartrita.adapters.persistence.present_files import once
from cartrita.kit.text import storable_text

_MAX_TEXT_LENGTH = 1000
_MAX_WORD_LENGTH = 200  # a tsquery refuses words of more than 2,046 bytes
_MAX_SUBSTRINGS = 16
_ENGLISH = "english"
_CHARACTERS_PER_WORD = 7
_SNIPPET_LEAD = 60  # characters shown before the first match
_LAST_LATIN_LETTER = "\u024f"
_EXCLUDED = re.compile(r'(?<!\S)-(?:"[^"]*"|[^\s-]\S*)')


class TextQuery(Protocol):
    """A search condition for any text column and its search vector."""

    def matches(
        self, vector: ColumnElement[str], body: ColumnElement[str]
    ) -> ColumnElement[bool]: ...

    def score(
        self, vector: ColumnElement[str], body: ColumnElement[str]
    ) -> ColumnElement[float]: ...

    def snippet(self, body: ColumnElement[str], words: int) -> ColumnElement[str]:
        """Plain text of about so many words around the best match."""
        ...


class FullTextQuery:
    """Words as Postgres' English full-text search knows them.

    `text` is the query as PostgreSQL writes it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._query = cast(literal(text), TSQUERY)

    def matches(self, vector: ColumnElement[str], body: ColumnElement[str]) -> ColumnElement[bool]:
        return vector.bool_op("@@")(self._query)

    def score(self, vector: ColumnElement[str], body: ColumnElement[str]) -> ColumnElement[float]:
        # 1: long texts count less; 32: between 0 and 1.
        return func.ts_rank_cd(vector, once(self._query), 1 | 32)

    def snippet(self, body: ColumnElement[str], words: int) -> ColumnElement[str]:
        options = f'StartSel="", StopSel="", MaxWords={words}, MinWords={words // 2}'
        return func.ts_headline(_ENGLISH, body, once(self._query), options)


class SubstringQuery:
    """Words as substrings of the text, where full text has no terms.

    That is stop words, punctuation, and languages that the parser cannot split into words.
    """

    def __init__(self, words: list[str], *, every: bool) -> None:
        self._words = words[:_MAX_SUBSTRINGS]
        self._every = every

    def matches(self, vector: ColumnElement[str], body: ColumnElement[str]) -> ColumnElement[bool]:
        found = [body.icontains(word, autoescape=True) for word in self._words]
        return and_(*found) if self._every else or_(*found)

    def score(self, vector: ColumnElement[str], body: ColumnElement[str]) -> ColumnElement[float]:
        found = [
            case((body.icontains(word, autoescape=True), 0.1), else_=0) for word in self._words
        ]
        return sum(found, start=literal(0.0)) / len(found)

    def snippet(self, body: ColumnElement[str], words: int) -> ColumnElement[str]:
        places = [func.strpos(func.lower(body), word.lower()) for word in self._words]
        first = func.least(*(func.nullif(place, 0) for place in places))
        start = func.greatest(func.coalesce(first, 1) - _SNIPPET_LEAD, 1)
        return func.substr(body, start, words * _CHARACTERS_PER_WORD)


def normalize(query: str) -> str:
    """Storable text with collapsed white space, its words and itself cut to the allowed length."""
    words = storable_text(query[: 4 * _MAX_TEXT_LENGTH]).split()
    return " ".join(word[:_MAX_WORD_LENGTH] for word in words)[:_MAX_TEXT_LENGTH].strip()


def has_operators(words: str) -> bool:
    """Whether it holds a phrase in quotes or a word that is excluded, as in web search."""
    return '"' in words or _EXCLUDED.search(words) is not None


def without_excluded(words: str) -> str:
    """The words that a text is to have."""
    return _EXCLUDED.sub(" ", words)


def has_non_latin_letters(words: str) -> bool:
    """Whether it holds letters outside the Latin script."""
    return any(letter.isalpha() and letter > _LAST_LATIN_LETTER for letter in words)


def match_all(words: str) -> ColumnElement[str]:
    """All words, in web search syntax; the last word may be a prefix."""
    rest, _, last = words.rpartition(" ")
    begun = re.fullmatch(r"\w{2,}", last) and rest.count('"') % 2 == 0
    if not begun or rest.lower().split()[-1:] == ["or"]:
        return match_whole(words)
    before = func.websearch_to_tsquery(_ENGLISH, rest)
    prefix = func.to_tsquery(_ENGLISH, f"{last}:*")
    return before.op("&&", return_type=TSQUERY())(prefix)


def match_whole(words: str) -> ColumnElement[str]:
    """All words, in web search syntax, each typed to its end."""
    return func.websearch_to_tsquery(_ENGLISH, words, type_=TSQUERY)


def match_any(words: str) -> ColumnElement[str]:
    """Any of the words; texts with more of them rank higher."""
    every = cast(func.plainto_tsquery(_ENGLISH, words), String)
    return cast(func.replace(every, "&", "|"), TSQUERY)
