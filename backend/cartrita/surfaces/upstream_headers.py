"""The headers of a provider's response, as the caller of a relay gets them."""

from collections.abc import Mapping
from typing import Final

UPSTREAM_ID: Final = "X-Upstream-Request-ID"
_RENAMED: Final = {"x-request-id": UPSTREAM_ID, "request-id": UPSTREAM_ID}
"""Headers that have another name here, because the response has its own."""


def upstream_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """All but the type of the content, which `headers` have in lower case."""
    return [
        (_RENAMED.get(name, name), value)
        for name, value in headers.items()
        if name != "content-type"
    ]
