"""Keyset pages: a cursor names the last row seen, so pages hold while rows come and go."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items, and the cursor of the next page where there is one."""

    items: list[T]
    next_cursor: str | None = None


def cursor(*key: str | int | float | bool) -> str:
    """The opaque form of a sort key."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key(text: str) -> list[str | int | float | bool] | None:
    """The sort key in a cursor; None where the text is not one of ours."""
    try:
        raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=list[str | int | float | bool])
    except (ValueError, msgspec.DecodeError):
        return None
