"""Keyset pagination: a cursor holds the sort key of a page's last row.

Unlike an offset it stays correct while rows are inserted and deleted.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The items of one page; `next_cursor` is None on the last page."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*key: str | int | float | bool) -> str:
    """The sort key as opaque, URL-safe text."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def moment_cursor(moment: datetime, identity: UUID) -> str:
    """The cursor of a list that is in the order of a moment and an id, after this item."""
    return encode_cursor(moment.isoformat(), identity.hex)


def decode_cursor(text: str) -> list[str | int | float | bool] | None:
    """The sort key in a cursor; None if the text is not a cursor."""
    try:
        raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=list[str | int | float | bool])
    except (ValueError, msgspec.DecodeError):
        return None
