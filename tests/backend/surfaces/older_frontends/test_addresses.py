"""Which requests are those of older frontends, and where the native API answers them."""

import pytest

from cartrita.surfaces.older_frontends.addresses import Address, native_address


@pytest.mark.parametrize(
    ("method", "path", "native"),
    [
        ("GET", "/api/agents", ("GET", "/api/agents")),
        ("GET", "/agents/coder", ("GET", "/api/agents/coder")),
        ("GET", "/api/api/search", ("GET", "/api/search")),
        ("PUT", "/api/api/settings", ("PUT", "/api/settings")),
        ("GET", "/health", ("GET", "/health")),
        ("GET", "/api/health", ("GET", "/health")),
        ("POST", "/chat", ("POST", "/api/chat")),
        ("POST", "/chat/stream", ("POST", "/api/chat/stream")),
        ("PUT", "/api/conversations/a/archive", ("POST", "/api/conversations/a/archive")),
        ("PUT", "/conversations/a/pin", ("POST", "/api/conversations/a/pin")),
        ("DELETE", "/api/conversations/a/pin", ("DELETE", "/api/conversations/a/pin")),
        ("PUT", "/api/conversations/pin", ("PUT", "/api/conversations/pin")),
        ("PUT", "/api/conversations/a/b/pin", ("PUT", "/api/conversations/a/b/pin")),
    ],
)
def test_native_addresses(method: str, path: str, native: tuple[str, str]) -> None:
    assert native_address(method, path) == Address(*native)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/api", "/v1/models", "/chat/completions", "/models", "/ready", "/openapi.json",
        "/mcp", "/a2a", "/apis/x", "/healthy", "/.well-known/agent-card.json", "/chats", "",
    ],
)  # fmt: skip
def test_what_is_none_of_theirs(path: str) -> None:
    assert native_address("GET", path) is None
