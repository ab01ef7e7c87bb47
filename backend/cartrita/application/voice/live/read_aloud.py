"""A sentence of Markdown as it is read aloud: without marks, addresses, tags and pictures."""

import html
import re
import unicodedata
from typing import Final

_DROPPED: Final = re.compile(
    r"!\[[^\]]*\]\([^)\s]*[^)]*\)"  # a picture
    r"|\]\([^)\s]*[^)]*\)|\]\[[^\]]*\]"  # the address of a link
    r"|\[\^?\d{1,3}\]"  # the mark of a source or a note
    r"|<?(?:https?|ftp|mailto):[^\s<>)\]]*[^\s<>)\].,;:!?]>?|www\.[^\s<>)\]]*[^\s<>)\].,;:!?]"
    r"|</?[A-Za-z][^<>]{0,200}>"  # a tag
)
_MARKS: Final = re.compile(r"\*+|`+|~~+|__+|\\(?=[^A-Za-z0-9\s])|(?<![^\W_])_|_(?![^\W_])|[\[\]|]")
_BETWEEN_WORDS: Final = re.compile(r"(?<=[^\W_])_(?=[^\W_])")
_BEFORE_PUNCTUATION: Final = re.compile(r"\s+([.,;:!?])")
_EMPTY_BRACKETS: Final = re.compile(r"\(\s*\)")
_UNUSUAL: Final = re.compile(r"[^ -~]")
_PICTURES_FROM: Final = "\u2190"
"""The first of the symbols that are pictures; those below, as of degrees, are words."""
_JOINING: Final = frozenset({"\u200d", "\ufe0e", "\ufe0f", "\u20e3", "\ufeff", "\u200b"})


def read_aloud(raw: str) -> str:
    """What is read of it; nothing, if there is no letter or number in it."""
    text = _DROPPED.sub("", html.unescape(raw))
    text = _MARKS.sub("", _BETWEEN_WORDS.sub(" ", text))
    text = _UNUSUAL.sub(lambda found: "" if _is_picture(found[0]) else found[0], text)
    text = _BEFORE_PUNCTUATION.sub(r"\1", _EMPTY_BRACKETS.sub("", " ".join(text.split())))
    return text.strip() if any(one.isalnum() for one in text) else ""


def _is_picture(character: str) -> bool:
    if character in _JOINING:
        return True
    category = unicodedata.category(character)
    if category == "Sk":  # the tones of skins; below them are accents
        return character >= "\U0001f3fb"
    return category in {"So", "Cc", "Cf", "Co", "Cn"} and (
        category != "So" or character >= _PICTURES_FROM
    )
