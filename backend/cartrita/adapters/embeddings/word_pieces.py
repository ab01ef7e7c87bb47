"""Cuts English texts into the word pieces of BERT's uncased vocabulary.

As in Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019: lower case,
without accents, punctuation apart, and words cut into the longest pieces known.
The vocabulary is Google's (Apache License 2.0), compressed.
"""

import gzip
import unicodedata
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

_VOCABULARY: Final = files("cartrita.adapters.embeddings").joinpath("vocabulary.txt.gz")
_LONGEST_WORD = 100
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2FA1F), (0xF900, 0xFAFF))


class WordPieces:
    """The vocabulary: some 30,000 pieces, those inside of words with `##` before them."""

    def __init__(self) -> None:
        lines = gzip.decompress(_VOCABULARY.read_bytes()).decode().splitlines()
        self._numbers = {piece: number for number, piece in enumerate(lines)}
        self._unknown = self._numbers["[UNK]"]

    def numbers(self, text: str, most: int) -> list[int]:
        """At most so many pieces of a text, between the marks of a beginning and of an end."""
        found = [self._numbers["[CLS]"]]
        for word in _words(text):
            found += self._pieces(word)
            if len(found) >= most:
                break
        return [*found[: most - 1], self._numbers["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            number, end = self._longest(word, start)
            if number is None:
                return [self._unknown]
            found.append(number)
            start = end
        return found

    def _longest(self, word: str, start: int) -> tuple[int | None, int]:
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            number = self._numbers.get(mark + word[start:end])
            if number is not None:
                return number, end
        return None, start


def _words(text: str) -> Iterator[str]:
    """The words, and each punctuation mark and ideograph as a word of its own."""
    plain = "".join(map(_apart, _cleaned(text)))
    for word in plain.split():
        lowered = unicodedata.normalize("NFD", word.lower())
        bare = "".join(letter for letter in lowered if unicodedata.category(letter) != "Mn")
        yield from "".join(f" {one} " if _is_mark(one) else one for one in bare).split()


def _cleaned(text: str) -> Iterator[str]:
    for one in text:
        if one.isspace():
            yield " "
        elif one != "\ufffd" and not unicodedata.category(one).startswith("C"):
            yield one


def _apart(one: str) -> str:
    code = ord(one)
    return f" {one} " if any(first <= code <= last for first, last in _IDEOGRAPHS) else one


def _is_mark(one: str) -> bool:
    """Punctuation; of ASCII also what Unicode calls symbols, e.g. `$`."""
    if one.isascii():
        return one.isprintable() and not one.isalnum() and one != " "
    return unicodedata.category(one).startswith("P")
