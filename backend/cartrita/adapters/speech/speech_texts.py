"""Cuts texts into parts that are short enough to be spoken by one request."""

import re
from typing import Final

_ENDS: Final = (re.compile(r"[.!?…]\S{0,2}\s+"), re.compile(r"\s+"))
"""Where a text is cut best: after a sentence, else after a word."""


def parts(text: str, longest: int, first: int | None = None) -> list[str]:
    """The text in as few parts as there may be, each of them cut where it is heard least.

    None is longer than so many characters, and none is blank unless the whole text is. Of a text
    that is cut the `first` may be shorter, so that it is heard sooner.
    """
    found: list[str] = []
    while len(text) > longest:
        end = _end(text, longest if found or first is None else first)
        if text[:end].strip():
            found.append(text[:end])
        text = text[end:]
    return [*found, text] if text.strip() or not found else found


def _end(text: str, longest: int) -> int:
    for pattern in _ENDS:
        ends = [match.end() for match in pattern.finditer(text, longest // 2, longest)]
        if ends:
            return ends[-1]
    return longest
