"""A request to a stand-in, and a reply."""

from collections.abc import Mapping
from typing import Any

import msgspec

KEY = "tvly-of-the-stand-ins"
"""The key that all of them accept."""


class Asked(msgspec.Struct, frozen=True):
    """A request; the names of its headers are in lower case."""

    service: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def bearer(self) -> str | None:
        """The token in its Authorization."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else None


class Reply(msgspec.Struct, frozen=True):
    """A status and a JSON value; a text is sent as a web page."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}
