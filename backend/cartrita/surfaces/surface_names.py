"""Which surface a request addresses, in one word for the log and for metrics."""

from collections.abc import Container
from typing import Final

_BY_PATH: Final = (
    ("/v1/messages", "anthropic"),
    ("/v1", "openai"),
    ("/ws/voice", "live"),
    ("/a2a", "a2a"),
    ("/.well-known/agent-card.json", "a2a"),
    ("/mcp", "mcp"),
    ("/assets", "console"),
)
"""The first of these that a path is at or below."""


def surface_of(path: str, headers: Container[bytes] = ()) -> str:
    """`native`, `openai`, `anthropic`, `live`, `a2a`, `mcp` or `console`.

    The models are asked for by the SDKs of both vendors, at one path.
    """
    if path == "/":
        return "console"
    for parent, surface in _BY_PATH:
        if path.startswith(parent) and path[len(parent) : len(parent) + 1] in ("", "/"):
            if path.startswith("/v1/models") and b"anthropic-version" in headers:
                return "anthropic"
            return surface
    return "native"
