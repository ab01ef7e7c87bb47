"""Long texts in pieces that a synthesizer takes, at the ends of sentences or of words."""

import re
from collections.abc import Iterator
from typing import Final

_SENTENCE_END: Final = re.compile(r"[.!?…:;。！？]['\")\]]*\s+|\n+")
_GAP: Final = re.compile(r"\s+")


def pieces_of(text: str, longest: int) -> Iterator[str]:
    """The text without what surrounds it, in pieces of at most so many characters, none empty.

    All that is not white space comes, in its order; a sentence is parted only where it is longer,
    and a word too.
    """
    text = text.strip()
    while len(text) > longest:
        end = _cut(text, longest)
        piece = text[:end].rstrip()
        if piece:
            yield piece
        text = text[end:].lstrip()
    if text:
        yield text


def _cut(text: str, longest: int) -> int:
    """Where the first piece ends: after the last sentence that fits, or the last word."""
    for boundary in (_SENTENCE_END, _GAP):
        ends = [found.end() for found in boundary.finditer(text[: longest + 1])]
        fitting = [end for end in ends if len(text[:end].rstrip()) <= longest]
        if fitting:
            return fitting[-1]
    return longest
