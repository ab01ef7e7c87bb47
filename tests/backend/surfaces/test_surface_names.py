"""The word by which the log and metrics know a surface."""

import pytest

from cartrita.surfaces.surface_names import surface_of


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/", "console"),
        ("/assets/app.js", "console"),
        ("/api/chat", "native"),
        ("/health", "native"),
        ("/ws/chat", "native"),
        ("/ws/voice", "live"),
        ("/v1/chat/completions", "openai"),
        ("/v1/models", "openai"),
        ("/v1", "openai"),
        ("/v1/messages", "anthropic"),
        ("/v1/messages/count_tokens", "anthropic"),
        ("/v1/messagesx", "openai"),
        ("/v10", "native"),
        ("/a2a", "a2a"),
        ("/a2a/writer/.well-known/agent-card.json", "a2a"),
        ("/.well-known/agent-card.json", "a2a"),
        ("/mcp", "mcp"),
        ("/mcpx", "native"),
        ("", "native"),
    ],
)
def test_it_follows_from_the_path(path: str, surface: str) -> None:
    assert surface_of(path) == surface


def test_models_are_asked_for_by_both_vendors() -> None:
    assert surface_of("/v1/models/x", {b"anthropic-version"}) == "anthropic"
    assert surface_of("/v1/chat/completions", {b"anthropic-version"}) == "openai"
