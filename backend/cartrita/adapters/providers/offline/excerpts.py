"""The part of a passage that shares most words with a question."""

import re
from typing import Final

_WORD = re.compile(r"\w{3,}")
_SENTENCE = re.compile(r"[^.!?]*(?:[.!?]+(?:\s+|$)|$|[.!?](?=\S))")
_STOP_WORD_LIST = """
the and for are was were you your yours that this with what when where which who whom why how did
does have has had can could will would shall should may might must not but about from into over then
than them they there here our out all any some tell give please say said something
"""
_STOP_WORDS: Final = frozenset(_STOP_WORD_LIST.split())
_STEM: Final = 6


def stems(text: str) -> set[str]:
    """Its words without stop words, cut to six letters so that `remembered` matches `remember`."""
    words = (word.casefold() for word in _WORD.findall(text))
    return {word.rstrip("s")[:_STEM] for word in words if word not in _STOP_WORDS}


def shorten(text: str, most: int) -> str:
    """The text on one line, cut off with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def excerpt(text: str, question: str, most: int) -> str:
    """So much of the text as begins with the sentence that shares most words with a question.

    A text that is short enough is given whole, and one that shares none from its beginning.
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    wanted = stems(question)
    starts = [found.start() for found in _SENTENCE.finditer(line)]
    ends = [*starts[1:], len(line)]
    shared = [len(wanted & stems(line[a:b])) for a, b in zip(starts, ends, strict=True)]
    best = starts[shared.index(max(shared))]
    return f"{'…' if best else ''}{shorten(line[best:], most - bool(best))}"
