"""The headers that tell of the provider: its name, and those of its response to a relay."""

from collections.abc import Mapping
from typing import Final

PROVIDER_HEADER: Final = "X-Cartrita-Provider"
"""Names the provider that answered."""
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
