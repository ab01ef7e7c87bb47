"""What a frontend sends for a value that it does not have: JavaScript's words for it, as text."""

from typing import Final, TypeAlias

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

_WORDS: Final = frozenset({"undefined", "null"})
_BEARER: Final = "bearer "


def is_absent(value: str) -> bool:
    """Whether a text stands for no value."""
    return value.strip() in _WORDS


def without_absent_keys(headers: RawHeaders) -> RawHeaders:
    """The headers without keys that are none: `X-API-Key: undefined`, `Bearer null`."""
    return [one for one in headers if not _is_absent_key(*one)]


def _is_absent_key(name: bytes, value: bytes) -> bool:
    text = value.decode("latin-1")
    if name == b"authorization" and text.lower().startswith(_BEARER):
        return is_absent(text[len(_BEARER) :])
    return name == b"x-api-key" and is_absent(text)
