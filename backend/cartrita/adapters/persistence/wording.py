"""What people type into a search box, as conditions of Postgres that no query can break."""

import re
from typing import Protocol

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_
from sqlalchemy.dialects.postgresql import TSQUERY

from cartrita.kit.text import storable_text

_LONGEST_TEXT = 1000
_LONGEST_WORD = 200  # a tsquery refuses words of more than 2,046 bytes
_MOST_WORDS = 16  # that are looked for letter by letter
_ENGLISH = "english"
_CHARACTERS_PER_WORD = 7
_BESIDE = 60  # characters before the first word found
_LAST_LATIN_LETTER = "\u024f"


class Wording(Protocol):
    """A query that can be asked of any text column and its search vector."""

    def matches(
        self, vector: ColumnElement[str], body: ColumnElement[str]
    ) -> ColumnElement[bool]: ...

    def score(
        self, vector: ColumnElement[str], body: ColumnElement[str]
    ) -> ColumnElement[float]: ...

    def snippet(self, body: ColumnElement[str], words: int) -> ColumnElement[str]:
        """Plain text of about so many words around the best match."""
        ...


class Terms:
    """Words as the English dictionary knows them, in the database's full text."""

    def __init__(self, query: ColumnElement[str]) -> None:
        self.query = query

    def matches(self, vector: ColumnElement[str], body: ColumnElement[str]) -> ColumnElement[bool]:
        return vector.bool_op("@@")(self.query)

    def score(self, vector: ColumnElement[str], body: ColumnElement[str]) -> ColumnElement[float]:
        # 1: long texts count less; 32: between 0 and 1.
        return func.ts_rank_cd(vector, self.query, 1 | 32)

    def snippet(self, body: ColumnElement[str], words: int) -> ColumnElement[str]:
        options = f'StartSel="", StopSel="", MaxWords={words}, MinWords={words // 2}'
        return func.ts_headline(_ENGLISH, body, self.query, options)


class Letters:
    """Words as they are written, anywhere in the text: for what the dictionary has no place for.

    That is stop words, signs, and languages that the parser cannot cut into words.
    """

    def __init__(self, words: list[str], *, every: bool) -> None:
        self._words = words[:_MOST_WORDS]
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
        start = func.greatest(func.coalesce(first, 1) - _BESIDE, 1)
        return func.substr(body, start, words * _CHARACTERS_PER_WORD)


def cleaned(typed: str) -> str:
    """Storable text without what is too long to be meant."""
    words = storable_text(typed[: 4 * _LONGEST_TEXT]).split()
    return " ".join(word[:_LONGEST_WORD] for word in words)[:_LONGEST_TEXT].strip()


def has_other_letters(words: str) -> bool:
    """Whether it holds letters that are not Latin ones."""
    return any(letter.isalpha() and letter > _LAST_LATIN_LETTER for letter in words)


def all_terms(words: str) -> Terms:
    """Every word, with the habits of web searches; the last word may be half typed."""
    query = func.websearch_to_tsquery(_ENGLISH, words)
    rest, _, last = words.rpartition(" ")
    begun = re.fullmatch(r"\w{2,}", last) and rest.count('"') % 2 == 0
    if not begun or rest.lower().split()[-1:] == ["or"]:
        return Terms(query)
    before = func.websearch_to_tsquery(_ENGLISH, rest)
    prefix = func.to_tsquery(_ENGLISH, f"{last}:*")
    return Terms(_tsquery("||", query, _tsquery("&&", before, prefix)))


def any_terms(words: str) -> Terms:
    """Any of the words: texts with more of them come first."""
    every = cast(func.plainto_tsquery(_ENGLISH, words), String)
    return Terms(cast(func.replace(every, "&", "|"), TSQUERY))


def _tsquery(
    operator: str, one: ColumnElement[str], other: ColumnElement[str]
) -> ColumnElement[str]:
    return one.op(operator, return_type=TSQUERY())(other)
